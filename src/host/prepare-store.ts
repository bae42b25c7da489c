import { configMaps, type ConfigMap } from '../api/core/config-map.ts';
import { endpoints, type Endpoints } from '../api/core/endpoints.ts';
import { namespaces, type Namespace } from '../api/core/namespace.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { KnativeError } from '../errors.ts';
import { installedEventingConfig } from '../api/eventing/installed-config.ts';
import { systemNamespaces } from './config-maps.ts';

/** What every host has from its first moment: namespaces, its domain, and itself as the activator. */
export async function prepareStore(store: MemoryStore, domain: string): Promise<void> {
  for (const name of ['default', ...systemNamespaces]) await ensureNamespace(store, name);
  const configs: ConfigMap[] = [
    configMap('knative-serving', 'config-domain', { [domain]: '' }),
    ...Object.entries(installedEventingConfig).map(([name, data]) => configMap('knative-eventing', name, { ...data })),
  ];
  for (const config of configs) await store.create(configMaps, config);
  // ServerlessServices in Proxy mode point to the activator's endpoints; in a host that is this process.
  const activator: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'activator-service', namespace: 'knative-serving' },
    subsets: [
      {
        addresses: [{ ip: '127.0.0.1' }],
        ports: [
          { name: 'http', port: 8012, protocol: 'TCP' },
          { name: 'http2', port: 8013, protocol: 'TCP' },
        ],
      },
    ],
  };
  await store.create(endpoints, activator);
}

function configMap(namespace: string, name: string, data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** Makes a namespace if it is not there: on one machine a manifest need not bring its own. */
export async function ensureNamespace(store: MemoryStore, name: string): Promise<void> {
  if (store.view.get(namespaces, undefined, name) !== undefined) return;
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  try {
    await store.create(namespaces, namespace);
  } catch (error) {
    if (!KnativeError.is(error) || error.code !== 'CONTROLLER_ALREADY_EXISTS') throw error;
  }
}
