import { resourceNameOf, type Kind } from '../api/kind.ts';
import type { FactRequest, ListSelector, Reader } from '../api/reconciler.ts';
import { resourceKey, type Resource } from '../api/resource.ts';
import { controllerUidOf } from './label-selector.ts';
import type { FactRegistry } from './facts.ts';
import type { ResourceView } from './resource-store.ts';

export const objectToken = (kind: Pick<Kind, 'group' | 'plural'>, namespace: string | undefined, name: string): string =>
  `object ${resourceNameOf(kind)}/${resourceKey(namespace, name)}`;
export const factToken = (provider: string, key: string): string => `fact ${provider}/${key}`;

/** The one token of a list: its most selective part. Waking too often is harmless, the plan of an unneeded pass is empty. */
function listToken(kind: Kind, selector: ListSelector): string {
  const name = resourceNameOf(kind);
  if (selector.ownerUid !== undefined) return `owned ${name}/${selector.ownerUid}`;
  if (selector.index !== undefined) return `index ${name}/${selector.index}`;
  for (const label in selector.labels) return `label ${name}/${label}=${selector.labels[label] ?? ''}`;
  if (selector.namespace !== undefined) return `namespace ${name}/${selector.namespace}`;
  return `kind ${name}`;
}

/** Every token under which an object, as it is or was, may have been read. */
export function tokensOf(kind: Kind, resource: Resource): string[] {
  const name = resourceNameOf(kind);
  const { namespace, labels } = resource.metadata;
  const tokens = [objectToken(kind, namespace, resource.metadata.name), `kind ${name}`];
  if (namespace !== undefined) tokens.push(`namespace ${name}/${namespace}`);
  const owner = controllerUidOf(resource);
  if (owner !== undefined) tokens.push(`owned ${name}/${owner}`);
  for (const label in labels) tokens.push(`label ${name}/${label}=${labels[label] ?? ''}`);
  for (const entry of kind.indexed?.(resource) ?? []) tokens.push(`index ${name}/${entry}`);
  return tokens;
}

/** A `Reader` over a view and the facts that records what it was asked. */
export class RecordingReader implements Reader {
  /** What has been read, as tokens for the tracker. */
  readonly tokens = new Set<string>();
  /** Kinds that were read before they were synced: the plan must not be used. */
  readonly unsynced = new Set<Kind>();
  readonly #view: ResourceView;
  readonly #facts: FactRegistry;
  readonly #config: (name: string) => Readonly<Record<string, string>>;

  constructor(view: ResourceView, facts: FactRegistry, config: (name: string) => Readonly<Record<string, string>>) {
    this.#view = view;
    this.#facts = facts;
    this.#config = config;
  }

  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): R | undefined {
    this.tokens.add(objectToken(kind, namespace, name));
    if (!this.#view.synced(kind)) this.unsynced.add(kind);
    return this.#view.get(kind, namespace, name);
  }

  list<R extends Resource>(kind: Kind<R>, selector: ListSelector = {}): readonly R[] {
    this.tokens.add(listToken(kind, selector));
    if (!this.#view.synced(kind)) this.unsynced.add(kind);
    return this.#view.list(kind, selector);
  }

  getByReference(reference: {
    apiVersion: string;
    kind: string;
    namespace?: string | undefined;
    name: string;
  }): Resource | undefined {
    const kind = this.#view.kindOf(reference.apiVersion, reference.kind);
    return kind === undefined ? undefined : this.get(kind, kind.namespaced ? reference.namespace : undefined, reference.name);
  }

  config(name: string): Readonly<Record<string, string>> {
    this.tokens.add(`config ${name}`);
    return this.#config(name);
  }

  fact<T>(request: FactRequest<T>): T | undefined {
    this.tokens.add(factToken(request.provider, request.key));
    return this.#facts.read(request);
  }
}
