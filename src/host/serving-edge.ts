import { pods, type Pod } from '../api/core/pod.ts';
import { ingresses, type Ingress } from '../api/networking/ingress.ts';
import { resourceKey } from '../api/resource.ts';
import { revisions, type Revision } from '../api/serving/revision.ts';
import type { FactRegistry } from '../controller/facts.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { Activator, IngressReadiness, RevisionSettings, Router, ServingInstance } from '../serving/index.ts';
import type { Instance } from './runtimes/runtime.ts';
import type { BackgroundHolds } from './background-holds.ts';
import type { ColdStarts } from './cold-starts.ts';
import type { StartPrecedence } from './start-precedence.ts';
import { isTerminating } from './stand-ins/pod-state.ts';

/** Label of a Pod that names its revision. */
export const revisionLabel = 'serving.knative.dev/revision';

/** Name under which Ingress status shows the host's gateway: the service that upstream's gateways have. */
const gatewayDomain = 'gateway.knative-serving.svc.cluster.local';

export interface ServingEdgeOptions {
  readonly store: MemoryStore;
  readonly facts: FactRegistry;
  readonly routes: Pick<Router, 'set' | 'delete'>;
  readonly activator: Activator;
  /** The running instance of a Pod. */
  readonly instanceOf: (uid: string | undefined) => Instance | undefined;
  readonly holds: BackgroundHolds;
  readonly coldStarts: ColdStarts;
  /** Told which revisions have an instance. */
  readonly precedence: StartPrecedence | undefined;
  /** Budget of requests that wait for the first instance; see `RevisionSettings`. */
  readonly coldStartTimeoutMs: number | undefined;
}

/** Keeps router and activator equal to what the store says: Ingresses become routes, ready Pods become instances. */
export interface ServingEdge extends Disposable {
  start(): void;
  /** A Pod or its instance has changed. */
  podChanged(pod: Pod, instance: Instance | undefined): void;
}

export function createServingEdge(options: ServingEdgeOptions): ServingEdge {
  const { store, facts, routes, activator, instanceOf, holds, coldStarts, precedence, coldStartTimeoutMs } = options;
  const dirty = new Set<string>();
  const subscriptions: Disposable[] = [];
  let ingressChanged: (key: string) => void = () => undefined;

  const served = new Map<string, IngressReadiness>();
  facts.provide<IngressReadiness, undefined>('ingress-ready', (changed) => {
    ingressChanged = changed;
    return { read: (key) => served.get(key) };
  });

  function serve(ingress: Ingress): void {
    const key = resourceKey(ingress.metadata.namespace, ingress.metadata.name);
    routes.set(ingress);
    served.set(key, {
      generation: ingress.metadata.generation ?? 0,
      publicLoadBalancer: { ingress: [{ domainInternal: gatewayDomain }] },
      privateLoadBalancer: { ingress: [{ domainInternal: gatewayDomain }] },
    });
    ingressChanged(key);
  }

  function stopServing(key: string): void {
    routes.delete(key);
    served.delete(key);
    ingressChanged(key);
  }

  function refresh(key: string): void {
    const slash = key.indexOf('/');
    const namespace = key.slice(0, slash);
    const name = key.slice(slash + 1);
    const revision = store.view.get(revisions, namespace, name);
    if (revision === undefined) {
      activator.deleteRevision(key);
      holds.forget(key);
      coldStarts.forget(key);
      precedence?.answered(key);
      return;
    }
    const instances: ServingInstance[] = [];
    for (const pod of store.view.list(pods, { namespace, labels: { [revisionLabel]: name } })) {
      // The Pod's status lags behind its instance, which alone knows whether it takes requests now.
      const instance = isTerminating(pod) ? undefined : instanceOf(pod.metadata.uid);
      if (instance === undefined || !instance.status.ready) continue;
      const id = pod.metadata.name;
      if (instance.handler !== undefined) instances.push({ id, target: { handler: instance.handler } });
      else if (instance.address !== undefined)
        instances.push({ id, target: { address: instance.address, protocol: protocolOf(revision) } });
    }
    // First, since the request may be answered within the next call.
    if (instances.length > 0) precedence?.ready(key);
    activator.setInstances(key, instances, {
      ...settingsOf(revision),
      ...(coldStartTimeoutMs === undefined ? {} : { coldStartTimeoutMs }),
    });
  }

  // Many changes of one turn become one refresh.
  function touch(key: string): void {
    if (dirty.size === 0) {
      queueMicrotask(() => {
        const keys = [...dirty];
        dirty.clear();
        for (const changed of keys) refresh(changed);
      });
    }
    dirty.add(key);
  }

  return {
    start() {
      subscriptions.push(
        store.watch({ kind: ingresses }, ({ type, resource }) => {
          const key = resourceKey(resource.metadata.namespace, resource.metadata.name);
          if (type === 'DELETED') stopServing(key);
          else if (served.get(key)?.generation !== resource.metadata.generation) serve(resource);
        }),
        store.watch({ kind: revisions }, ({ resource, previous, type }) => {
          // A status change alone alters nothing that requests depend on.
          if (type === 'MODIFIED' && previous?.metadata.generation === resource.metadata.generation) return;
          touch(resourceKey(resource.metadata.namespace, resource.metadata.name));
        }),
      );
      for (const ingress of store.view.list(ingresses)) serve(ingress);
      for (const { metadata } of store.view.list(revisions)) touch(resourceKey(metadata.namespace, metadata.name));
    },
    podChanged(pod, instance) {
      const name = pod.metadata.labels?.[revisionLabel];
      if (name === undefined) return;
      const { namespace = '' } = pod.metadata;
      const key = resourceKey(namespace, name);
      holds.update(key, pod.metadata.name, instance?.backgroundWork ?? 0);
      if (instance !== undefined) coldStarts.observe(key, () => store.view.get(revisions, namespace, name), instance.status);
      touch(key);
    },
    [Symbol.dispose]() {
      for (const subscription of subscriptions.splice(0)) subscription[Symbol.dispose]();
    },
  };
}

/** The port's name chooses the protocol, as in the runtime contract: `h2c`, else HTTP/1.1 whatever the client speaks. */
function protocolOf(revision: Revision): 'h2c' | 'http1' {
  const ports = revision.spec.containers?.flatMap((container) => container.ports ?? []) ?? [];
  return ports[0]?.name === 'h2c' ? 'h2c' : 'http1';
}

function settingsOf(revision: Revision): RevisionSettings {
  const { containerConcurrency, timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds } = revision.spec;
  const labels = revision.metadata.labels ?? {};
  const service = labels['serving.knative.dev/service'];
  const configuration = labels['serving.knative.dev/configuration'];
  return {
    containerConcurrency: containerConcurrency ?? 0,
    timeouts: {
      ...(timeoutSeconds === undefined ? {} : { requestMs: timeoutSeconds * 1000 }),
      ...(responseStartTimeoutSeconds === undefined ? {} : { responseStartMs: responseStartTimeoutSeconds * 1000 }),
      ...(idleTimeoutSeconds === undefined ? {} : { idleMs: idleTimeoutSeconds * 1000 }),
    },
    sessionAffinity: revision.metadata.annotations?.['run.googleapis.com/sessionAffinity'] === 'true',
    labels: { ...(service === undefined ? {} : { service }), ...(configuration === undefined ? {} : { configuration }) },
  };
}
