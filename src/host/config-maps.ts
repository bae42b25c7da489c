import { configMaps, type ConfigMap } from '../api/core/config-map.ts';
import type { MemoryStore } from '../controller/memory-store.ts';

/** Namespaces whose config maps configure the host, as upstream's components read theirs; the first that has one wins. */
export const systemNamespaces = ['knative-serving', 'knative-eventing'] as const;

// One object per version of a config map, so that readers can keep what they have parsed.
const withoutExample = new WeakMap<ConfigMap, Readonly<Record<string, string>>>();
const none: Readonly<Record<string, string>> = Object.freeze({});

/** Data of a system config map, without the documentation that upstream ships in `_example`. */
export function configData(store: Pick<MemoryStore, 'view'>, name: string): Readonly<Record<string, string>> {
  for (const namespace of systemNamespaces) {
    const found = store.view.get(configMaps, namespace, name);
    if (found === undefined) continue;
    let data = withoutExample.get(found);
    if (data === undefined) {
      const { _example, ...rest } = found.data ?? {};
      withoutExample.set(found, (data = Object.freeze(rest)));
    }
    return data;
  }
  return none;
}

/** Calls `changed` with the name of each system config map that is made, changed or removed. */
export function watchConfig(store: MemoryStore, changed: (name: string) => void): Disposable {
  return store.watch({ kind: configMaps }, ({ resource }) => {
    if ((systemNamespaces as readonly (string | undefined)[]).includes(resource.metadata.namespace))
      changed(resource.metadata.name);
  });
}
