import { coreServices, type CoreService } from '../api/core/core-service.ts';
import { endpoints, type Endpoints } from '../api/core/endpoints.ts';
import { pods, type Pod } from '../api/core/pod.ts';
import { resourceKey } from '../api/resource.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { Exchange } from '../http/index.ts';
import type { Activator, ServingInstance } from '../serving/index.ts';
import type { Instance } from './runtimes/runtime.ts';

/** Label of the core Services that Knative makes for its revisions: requests reach those through the gateway. */
const servingLabel = 'networking.internal.knative.dev/serviceType';

export interface CoreServiceEdgeOptions {
  readonly store: MemoryStore;
  readonly activator: Activator;
  readonly instanceOf: (uid: string | undefined) => Instance | undefined;
}

/** Makes plain Kubernetes Services (a Deployment's, not a Knative Service's) reachable by their cluster DNS names. */
export interface CoreServiceEdge extends Disposable {
  start(): void;
  /** Answers a request for a core Service by its host name; false when there is no such Service with a selector. */
  answer(exchange: Exchange, hostname: string): boolean;
  /** The activator's keys under which a Pod gets requests. */
  keysOf(pod: Pod): string[];
}

const namePattern = /^([^.]+)\.([^.]+)(?:\.svc(?:\.cluster(?:\.local)?)?)?$/;

export function createCoreServiceEdge({ store, activator, instanceOf }: CoreServiceEdgeOptions): CoreServiceEdge {
  let subscription: Disposable | undefined;
  // Revisions have keys with one slash; these cannot be mistaken for one.
  const keyOf = (namespace: string | undefined, name: string): string => `core-service/${resourceKey(namespace, name)}`;

  function refresh(found: Endpoints, gone: boolean): void {
    const { namespace, name } = found.metadata;
    const service = store.view.get(coreServices, namespace, name);
    if (!isPlain(service) || gone) {
      activator.deleteRevision(keyOf(namespace, name));
      return;
    }
    const instances: ServingInstance[] = [];
    for (const { addresses = [] } of found.subsets ?? []) {
      for (const { targetRef } of addresses) {
        const pod = store.view.get(pods, namespace, targetRef?.name ?? '');
        const instance = instanceOf(pod?.metadata.uid);
        if (pod === undefined || instance === undefined) continue;
        const id = pod.metadata.name;
        if (instance.handler !== undefined) instances.push({ id, target: { handler: instance.handler } });
        else if (instance.address !== undefined) instances.push({ id, target: { address: instance.address } });
      }
    }
    activator.setInstances(keyOf(namespace, name), instances, {});
  }

  return {
    start() {
      subscription = store.watch({ kind: endpoints }, ({ resource, type }) => refresh(resource, type === 'DELETED'));
      for (const found of store.view.list(endpoints)) refresh(found, false);
    },
    answer(exchange, hostname) {
      const match = namePattern.exec(hostname);
      if (match === null) return false;
      const [, name = '', namespace = ''] = match;
      if (!isPlain(store.view.get(coreServices, namespace, name)) || !activator.has(keyOf(namespace, name))) return false;
      activator.handle(keyOf(namespace, name), exchange);
      return true;
    },
    keysOf: ({ metadata }) =>
      store.view
        .list(coreServices, metadata.namespace === undefined ? {} : { namespace: metadata.namespace })
        .filter(
          (service) =>
            isPlain(service) &&
            Object.entries(service.spec.selector ?? {}).every(([name, value]) => metadata.labels?.[name] === value),
        )
        .map((service) => keyOf(service.metadata.namespace, service.metadata.name)),
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

function isPlain(service: CoreService | undefined): service is CoreService {
  const { selector } = service?.spec ?? {};
  return (
    service !== undefined &&
    selector !== undefined &&
    Object.keys(selector).length > 0 &&
    service.metadata.labels?.[servingLabel] === undefined
  );
}
