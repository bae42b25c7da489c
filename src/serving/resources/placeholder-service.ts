import { coreServices, type CoreService } from '../../api/core/core-service.ts';
import { endpoints, type Endpoints } from '../../api/core/endpoints.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Ingress, LoadBalancerStatus } from '../../api/networking/ingress.ts';
import type { ObjectMeta } from '../../api/resource.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { domainName, ownVisibility, tagHostname, type Naming } from '../domain-name.ts';
import { labelKeys, visibilityClusterLocal } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';

type LoadBalancer = NonNullable<LoadBalancerStatus['ingress']>[number];

/** The name inside of the cluster for one tag of a Route, before the Ingress says where it leads. */
export function makePlaceholderService(route: Route, tag: string, naming: Naming): CoreService {
  const hostname = tagHostname(naming, route.metadata.name, tag);
  return makeService(route, hostname, {
    type: 'ExternalName',
    externalName: domainName(naming, route.metadata, hostname, ownVisibility(route.metadata)),
    sessionAffinity: 'None',
    ports: [h2cPort],
  });
}

const h2cPort = { name: 'http2', appProtocol: 'kubernetes.io/h2c', port: 80, targetPort: 80 } as const;

/** The same once the Ingress has a load balancer; `undefined` while it has none that can be used. */
export function makeRoutedService(
  route: Route,
  tag: string,
  ingress: Ingress,
  naming: Naming,
  isPrivate: boolean,
): { readonly service: CoreService; readonly endpoints: Endpoints | undefined } | undefined {
  const { privateLoadBalancer, publicLoadBalancer } = ingress.status ?? {};
  const status = isPrivate || (privateLoadBalancer?.ingress ?? []).length > 0 ? privateLoadBalancer : publicLoadBalancer;
  const [balancer, ...others] = status?.ingress ?? [];
  // Several load balancers cannot be told apart by one name.
  if (balancer === undefined || others.length > 0) return undefined;
  const spec = specFor(balancer);
  if (spec === undefined) return undefined;
  const service = makeService(route, tagHostname(naming, route.metadata.name, tag), spec);
  const ip = balancer.ip ?? '';
  if (ip === '') return { service, endpoints: undefined };
  const { name, appProtocol, port } = h2cPort;
  return {
    service,
    endpoints: {
      apiVersion: apiVersionOf(endpoints),
      kind: endpoints.kind,
      metadata: service.metadata,
      subsets: [{ addresses: [{ ip }], ports: [{ name, appProtocol, port }] }],
    },
  };
}

function specFor(balancer: LoadBalancer): CoreService['spec'] | undefined {
  const { ip = '', domainInternal = '', domain = '', meshOnly = false } = balancer;
  if (ip !== '') return { ports: [h2cPort], clusterIP: 'None', type: 'ClusterIP' };
  if (domainInternal !== '') {
    return { ports: [h2cPort], type: 'ExternalName', externalName: domainInternal, sessionAffinity: 'None' };
  }
  if (domain !== '') return { ports: [h2cPort], type: 'ExternalName', externalName: domain };
  return meshOnly ? { type: 'ClusterIP', ports: [{ name: 'http', port: 80 }] } : undefined;
}

function makeService(route: Route, hostname: string, spec: CoreService['spec']): CoreService {
  return {
    apiVersion: apiVersionOf(coreServices),
    kind: coreServices.kind,
    metadata: placeholderMetadata(route, hostname),
    spec,
  };
}

function placeholderMetadata(route: Route, hostname: string): ObjectMeta {
  const { name, namespace, labels, annotations } = route.metadata;
  return {
    name: hostname,
    ...(namespace !== undefined && { namespace }),
    ownerReferences: [controllerReference(routes, route)],
    labels: { ...withoutKeys(labels, (key) => key === labelKeys.visibility), [labelKeys.route]: name },
    ...(annotations !== undefined && { annotations }),
  };
}

/** True for a placeholder that somebody has labelled to be reachable inside of the cluster only. */
export function isClusterLocalService(service: CoreService): boolean {
  return service.metadata.labels?.[labelKeys.visibility] === visibilityClusterLocal;
}
