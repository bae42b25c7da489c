import type { AdmissionContext } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import { dialectByName } from '../dialects/dialects.ts';
import { textEntries, valueAt } from '../dialects/json-path.ts';

type Data = Readonly<Record<string, string>>;
type Config = NonNullable<AdmissionContext['config']>;

const systemNamespaces: readonly (string | undefined)[] = ['knative-serving', 'knative-eventing'];

/**
 * Settings during the admission of a file: the host's, over them the config maps that the file itself brings, over those what a
 * dialect asks for. Equal input gives the same data object again, so that parsed settings are found again.
 */
export class ConfigLayers {
  readonly #host: Config;
  readonly #learned = new Map<string, Data>();
  readonly #merged = new WeakMap<Data, WeakMap<Data, Data>>();

  constructor(host: Config | undefined) {
    this.#host = host ?? (() => undefined);
  }

  /** The host's settings and those of the file. */
  readonly config: Config = (name) => this.#learned.get(name) ?? this.#host(name);

  /** The settings under a dialect. */
  under(overlay: Readonly<Record<string, Data>> | undefined): Config {
    if (overlay === undefined) return this.config;
    return (name) => {
      const base = this.config(name);
      const top = overlay[name];
      if (top === undefined || base === undefined) return top ?? base;
      return this.#merge(base, top);
    };
  }

  /** Notes a config map that the file brings, for the documents after it. */
  learn(resource: Resource): void {
    if (resource.kind !== 'ConfigMap' || !systemNamespaces.includes(resource.metadata.namespace)) return;
    const data: Record<string, string> = {};
    for (const [key, value] of textEntries(valueAt(resource, 'data'))) if (key !== '_example') data[key] = value;
    this.#learned.set(resource.metadata.name, data);
  }

  #merge(base: Data, top: Data): Data {
    let known = this.#merged.get(base);
    if (known === undefined) this.#merged.set(base, (known = new WeakMap()));
    let merged = known.get(top);
    if (merged === undefined) known.set(top, (merged = { ...base, ...top }));
    return merged;
  }
}

/** Names the dialect under which an object was admitted, where that changes what is allowed. */
export const dialectAnnotation = 'knative-embed.dev/dialect';

/**
 * The settings under which a stored or new object is admitted: the host's, or those of the dialect that the object is marked with.
 * Whoever admits single objects (store, API server, webhook) takes its `config` from here.
 */
export function configPerObject(config: Config): (resource: Resource) => Config {
  const layers = new ConfigLayers(config);
  return (resource) => {
    const name = resource.metadata.annotations?.[dialectAnnotation];
    return name === undefined ? config : layers.under(dialectByName(name)?.config);
  };
}
