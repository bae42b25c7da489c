import { childName } from '../../api/child-name.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { ingresses, type HTTPIngressPath, type Ingress } from '../../api/networking/ingress.ts';
import type { ObjectMeta } from '../../api/resource.ts';
import { clusterLocalForms, type Visibility } from '../domain-name.ts';
import { clusterServiceDomain, labelKeys } from '../keys.ts';
import { controllerReference } from '../metadata.ts';
import { systemNamespace } from '../resources/queue-proxy.ts';
import { ingressLabel, portNumber } from './gateway-api-route.ts';
import { virtualServices, type IstioHttpMatch, type IstioHttpRoute, type VirtualService } from './istio-kinds.ts';

/**
 * How a VirtualService recognises a host. `exact` takes the host alone, with or without a port. `prefix` is upstream's way: there
 * `example.com` also takes `example.com.evil.org`.
 */
export type HostMatch = 'exact' | 'prefix';

/** Names `namespace/name` of Gateways by who they take requests from. */
export type GatewayNames = Readonly<Record<Visibility, readonly string[]>>;

const localSuffix = `.${clusterServiceDomain}`;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The VirtualServices of an Ingress (with its probe paths): for the mesh, and for the gateways that it needs. */
export function makeVirtualServices(ingress: Ingress, gateways: GatewayNames, hostMatch: HostMatch): VirtualService[] {
  const made: VirtualService[] = [];
  const hosts = ingress.spec.rules.flatMap((rule) => rule.hosts);
  const meshHosts = hosts.filter((host) => host.endsWith(localSuffix));
  if (meshHosts.length > 0) {
    const expanded = gateways.ClusterLocal.length > 0 ? expand(meshHosts) : new Set(meshHosts);
    made.push(makeVirtualService(ingress, '-mesh', expanded, { ExternalIP: ['mesh'], ClusterLocal: ['mesh'] }, hostMatch));
  }
  const has = (visibility: Visibility): boolean =>
    ingress.spec.rules.some((rule) => (rule.visibility ?? 'ExternalIP') === visibility);
  const needed = (has('ExternalIP') ? gateways.ExternalIP.length : 0) + (has('ClusterLocal') ? gateways.ClusterLocal.length : 0);
  if (needed > 0) made.push(makeVirtualService(ingress, '-ingress', expand(hosts), gateways, hostMatch));
  return made;
}

function expand(hosts: readonly string[]): Set<string> {
  return new Set(hosts.flatMap(clusterLocalForms));
}

function makeVirtualService(
  ingress: Ingress,
  suffix: string,
  hosts: ReadonlySet<string>,
  gateways: GatewayNames,
  hostMatch: HostMatch,
): VirtualService {
  const http: IstioHttpRoute[] = [];
  const used = new Set<string>();
  for (const rule of ingress.spec.rules) {
    const own = [...new Set(rule.hosts)].filter((host) => hosts.has(host)).sort(byText);
    if (own.length === 0) continue;
    const names = [...gateways[rule.visibility ?? 'ExternalIP']].sort(byText);
    for (const path of rule.http?.paths ?? []) http.push(makeRoute(own, path, names, hostMatch));
    if ((rule.http?.paths ?? []).length > 0) for (const name of names) used.add(name);
  }
  return {
    apiVersion: apiVersionOf(virtualServices),
    kind: virtualServices.kind,
    metadata: makeMetadata(ingress, suffix),
    spec: { hosts: [...hosts].sort(byText), gateways: [...used].sort(byText), http },
  };
}

function makeMetadata(ingress: Ingress, suffix: string): ObjectMeta {
  const { name, namespace, annotations, labels } = ingress.metadata;
  const { [labelKeys.route]: route, [labelKeys.routeNamespace]: routeNamespace } = labels ?? {};
  return {
    name: childName(name, suffix),
    namespace: namespace === undefined || namespace === '' ? systemNamespace : namespace,
    ownerReferences: [controllerReference(ingresses, ingress)],
    ...(annotations !== undefined && { annotations }),
    labels: {
      ...(route !== undefined && { [labelKeys.route]: route }),
      ...(routeNamespace !== undefined && { [labelKeys.routeNamespace]: routeNamespace }),
      [ingressLabel]: name,
    },
  };
}

function makeRoute(
  hosts: readonly string[],
  path: HTTPIngressPath,
  gateways: readonly string[],
  hostMatch: HostMatch,
): IstioHttpRoute {
  const headers = setHeaders(path.appendHeaders);
  const { rewriteHost = '' } = path;
  const authorities =
    hostMatch === 'exact'
      ? hosts.map((host) => ({ regex: `${host.replaceAll('.', String.raw`\.`)}(:\\d+)?` }))
      : distinctPrefixes(hosts).map((prefix) => ({ prefix }));
  return {
    // Istio retries twice unless told otherwise; a request must arrive once.
    retries: {},
    match: authorities.map((authority): IstioHttpMatch => ({
      gateways: [...gateways],
      authority,
      ...(path.path !== undefined && path.path !== '' && { uri: { prefix: path.path } }),
      headers: Object.fromEntries(Object.entries(path.headers ?? {}).map(([name, { exact }]) => [name, { exact }])),
    })),
    route: path.splits.map((split) => {
      const own = setHeaders(split.appendHeaders);
      const number = portNumber(split.servicePort);
      return {
        destination: {
          host: `${split.serviceName}.${split.serviceNamespace}.${clusterServiceDomain}`,
          port: number === 0 ? {} : { number },
        },
        ...(split.percent !== undefined && split.percent !== 0 && { weight: split.percent }),
        ...(own !== undefined && { headers: own }),
      };
    }),
    ...(rewriteHost !== '' && { rewrite: { authority: rewriteHost } }),
    ...(headers !== undefined && { headers }),
  };
}

function setHeaders(set: Record<string, string> | undefined): IstioHttpRoute['headers'] {
  return set === undefined || Object.keys(set).length === 0 ? undefined : { request: { set } };
}

/** Hosts without the cluster's suffix, and without those that another one is a prefix of. */
function distinctPrefixes(sortedHosts: readonly string[]): string[] {
  const found: string[] = [];
  for (const host of sortedHosts) {
    const prefix = host.endsWith(localSuffix) ? host.slice(0, -localSuffix.length) : host;
    if (!found.some((known) => prefix.startsWith(known))) found.push(prefix);
  }
  return found.sort(byText);
}
