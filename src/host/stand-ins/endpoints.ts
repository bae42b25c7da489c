import { coreServices, type CoreService, type ServicePort } from '../../api/core/core-service.ts';
import { endpoints, type Endpoints, type EndpointSubset } from '../../api/core/endpoints.ts';
import { pods, type Pod } from '../../api/core/pod.ts';
import type { Plan, Reconciler } from '../../api/reconciler.ts';
import { jsonEqual } from '../../json.ts';
import { addressAnnotation, isReady, isTerminating } from './pod-state.ts';

/** Core Service with a selector → Endpoints: what kube-controller-manager's endpoints controller does on a cluster. */
export const endpointsReconciler: Reconciler<CoreService> = {
  name: 'endpoints',
  kind: coreServices,
  reconcile(service, world): Plan {
    const { selector } = service.spec;
    const { namespace = '', name } = service.metadata;
    // Without a selector the endpoints are somebody else's (a ServerlessService's public Service, an external name).
    if (selector === undefined || Object.keys(selector).length === 0) return { writes: [] };
    const subsets = world
      .list(pods, { namespace, labels: selector })
      .filter((pod) => !isTerminating(pod))
      .map((pod) => subsetOf(pod, service.spec.ports ?? []));
    const existing = world.get(endpoints, namespace, name);
    if (existing !== undefined && jsonEqual(existing.subsets ?? [], subsets)) return { writes: [] };
    if (existing !== undefined) {
      const changed: Endpoints = { ...existing, subsets };
      return { writes: [{ op: 'update', kind: endpoints, resource: changed }] };
    }
    return { writes: [{ op: 'create', kind: endpoints, resource: makeEndpoints(service, subsets) }] };
  },
};

// One subset per pod: on one machine pods share an address and differ by port.
function subsetOf(pod: Pod, servicePorts: readonly ServicePort[]): EndpointSubset {
  const [ip = '127.0.0.1', port] = (pod.metadata.annotations?.[addressAnnotation] ?? '').split(':');
  const address = {
    ip: ip === '' ? '127.0.0.1' : ip,
    targetRef: {
      kind: 'Pod',
      name: pod.metadata.name,
      ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
      ...(pod.metadata.uid === undefined ? {} : { uid: pod.metadata.uid }),
    },
  };
  const ports = servicePorts.map((servicePort) => ({
    ...(servicePort.name === undefined ? {} : { name: servicePort.name }),
    port: port === undefined ? targetPortOf(pod, servicePort) : Number(port),
    protocol: servicePort.protocol ?? 'TCP',
  }));
  return { ...(isReady(pod) ? { addresses: [address] } : { notReadyAddresses: [address] }), ports };
}

function targetPortOf(pod: Pod, { targetPort, port }: ServicePort): number {
  if (typeof targetPort === 'number') return targetPort;
  for (const container of pod.spec.containers ?? []) {
    const named = container.ports?.find(({ name }) => name === targetPort);
    if (named?.containerPort !== undefined) return named.containerPort;
  }
  return port;
}

function makeEndpoints(service: CoreService, subsets: EndpointSubset[]): Endpoints {
  const { name, namespace, labels, uid } = service.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true }],
    },
    subsets,
  };
}
