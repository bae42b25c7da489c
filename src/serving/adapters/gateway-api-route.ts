import { apiVersionOf } from '../../api/kind.ts';
import {
  ingresses,
  type HTTPIngressPath,
  type Ingress,
  type IngressBackendSplit,
  type IngressRule,
} from '../../api/networking/ingress.ts';
import { isJsonObject } from '../../json.ts';
import { annotationKeys, labelKeys, visibilityClusterLocal } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';
import type { GatewayApiConfig, GatewayEntry } from './gateway-api-config.ts';
import {
  httpRoutes,
  type HttpBackendRef,
  type HttpRoute,
  type HttpRouteFilter,
  type HttpRouteRule,
} from './gateway-api-kinds.ts';
import { hashHeader, hashOverride } from './ingress-probe.ts';

export const ingressLabel = 'networking.internal.knative.dev/ingress';
const tagLabel = 'networking.knative.dev/tag';
const probePathPrefix = '/.well-known/knative';

/** Name of a rule's HTTPRoute: the last of its hosts in order. Two rules with the same last host cannot live side by side. */
export function routeNameOf(rule: IngressRule): string {
  return [...rule.hosts].sort().at(-1) ?? '';
}

/** The HTTPRoute of one rule of an Ingress (with its probe paths, when it has them). */
export function makeHttpRoute(ingress: Ingress, rule: IngressRule, config: GatewayApiConfig): HttpRoute {
  const local = rule.visibility === 'ClusterLocal';
  const gateway = local ? config.local : config.external;
  const tag = tagOf(ingress, rule);
  return {
    apiVersion: apiVersionOf(httpRoutes),
    kind: httpRoutes.kind,
    metadata: {
      name: routeNameOf(rule),
      ...(ingress.metadata.namespace !== undefined && { namespace: ingress.metadata.namespace }),
      labels: {
        ...ingress.metadata.labels,
        [ingressLabel]: ingress.metadata.name,
        [labelKeys.visibility]: local ? visibilityClusterLocal : '',
        ...(tag !== undefined && { [tagLabel]: tag }),
      },
      annotations: withoutKeys(ingress.metadata.annotations, (key) => key === annotationKeys.lastApplied),
      ownerReferences: [controllerReference(ingresses, ingress)],
    },
    spec: {
      parentRefs: [{ group: httpRoutes.group, kind: 'Gateway', namespace: gateway.namespace, name: gateway.name }],
      hostnames: [...rule.hosts].sort(),
      rules: (rule.http?.paths ?? []).map((path) => makeRouteRule(path, gateway)),
    },
  };
}

function makeRouteRule(path: HTTPIngressPath, gateway: GatewayEntry): HttpRouteRule {
  const filters: HttpRouteFilter[] = [];
  if (path.appendHeaders !== undefined) filters.push(setHeaders(path.appendHeaders));
  if (path.rewriteHost !== undefined && path.rewriteHost !== '') {
    filters.push({ type: 'URLRewrite', urlRewrite: { hostname: path.rewriteHost } });
  }
  const headers = Object.entries(path.headers ?? {})
    .map(([name, { exact }]) => ({ type: 'Exact', name, value: exact }))
    .sort((a, b) => (a.name > b.name ? -1 : 1));
  return {
    backendRefs: path.splits.map((split) => makeBackend(split, split.percent ?? 0)),
    ...(filters.length > 0 && { filters }),
    matches: [{ path: { type: 'PathPrefix', value: path.path || '/' }, ...(headers.length > 0 && { headers }) }],
    // A request may take as long as the revision allows; the gateway must not be quicker.
    ...(gateway.supportedFeatures.includes('HTTPRouteRequestTimeout') && { timeouts: { request: '0s' } }),
  };
}

function makeBackend(split: IngressBackendSplit, weight: number): HttpBackendRef {
  return {
    group: '',
    kind: 'Service',
    name: split.serviceName,
    port: portNumber(split.servicePort),
    weight,
    filters: [setHeaders(split.appendHeaders ?? {})],
  };
}

/** A port number; a text that is none counts as 0, as in Go. */
export function portNumber(port: number | string): number {
  return typeof port === 'number' ? port : /^-?\d+$/.test(port) ? Number(port) : 0;
}

function setHeaders(headers: Readonly<Record<string, string>>): HttpRouteFilter {
  const set = Object.entries(headers)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { type: 'RequestHeaderModifier', requestHeaderModifier: set.length === 0 ? {} : { set } };
}

/** The tag whose hosts a rule serves, by the annotation that the Route reconciler leaves. */
function tagOf(ingress: Ingress, rule: IngressRule): string | undefined {
  const text = ingress.metadata.annotations?.[annotationKeys.tagToHost] ?? '';
  if (text === '') return undefined;
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(map)) return undefined;
  const found = Object.entries(map).find(
    ([, hosts]) => Array.isArray(hosts) && hosts.some((host) => typeof host === 'string' && rule.hosts.includes(host)),
  );
  return found?.[0];
}

/** Backends that a rule adds to those that a route has already, sorted by name; and the ones that it has. */
export function compareBackends(
  route: HttpRoute,
  rule: IngressRule,
): { readonly added: readonly IngressBackendSplit[]; readonly existing: readonly HttpBackendRef[] } {
  const existing = (route.spec.rules ?? [])
    .filter((candidate) => !isProbe(candidate))
    .flatMap(({ backendRefs = [] }) => backendRefs);
  const names = new Set(existing.map(({ namespace, name }) => `${namespace ?? route.metadata.namespace ?? ''}/${name}`));
  const added = (rule.http?.paths ?? [])
    .filter((path) => path.headers?.[hashHeader] === undefined)
    .flatMap(({ splits }) => splits)
    .filter((split) => !names.has(`${split.serviceNamespace}/${split.serviceName}`));
  return { added: added.sort((a, b) => (a.serviceName < b.serviceName ? -1 : 1)), existing };
}

function isProbe({ matches = [] }: HttpRouteRule): boolean {
  return matches.some(({ headers = [] }) => headers.some(({ name }) => name === hashHeader));
}

/** The route with another hash in its probes. */
export function withProbeHash(route: HttpRoute, hash: string): HttpRoute {
  return mapRules(route, (rule) => ({
    ...rule,
    ...(rule.filters !== undefined && {
      filters: rule.filters.map((filter) => {
        const set = filter.requestHeaderModifier?.set;
        if (set === undefined) return filter;
        return {
          ...filter,
          requestHeaderModifier: { set: set.map((header) => (header.name === hashHeader ? { ...header, value: hash } : header)) },
        };
      }),
    }),
  }));
}

/** The route without the rules that reach single backends for probing. */
export function withoutEndpointProbes(route: HttpRoute): HttpRoute {
  const rules = (route.spec.rules ?? []).filter(
    ({ matches = [] }) => !matches.some(({ path }) => path?.value?.startsWith(probePathPrefix) === true),
  );
  return { ...route, spec: { ...route.spec, rules } };
}

/** The route with rules that reach single backends: those to come, and those that are there. */
export function withEndpointProbes(
  route: HttpRoute,
  hash: string,
  added: readonly IngressBackendSplit[],
  existing: readonly HttpBackendRef[],
): HttpRoute {
  const probes = [
    ...added.map((split) => {
      const { filters: _filters, ...backend } = makeBackend(split, 100);
      const headers = split.appendHeaders ?? {};
      const filters = Object.keys(headers).length > 0 ? { filters: [setHeaders(headers)] } : {};
      return probeRule(split.serviceNamespace, split.serviceName, hash, { ...backend, ...filters });
    }),
    ...existing.map((backend) => probeRule(route.metadata.namespace ?? '', backend.name, hash, { ...backend, weight: 100 })),
  ];
  return { ...route, spec: { ...route.spec, rules: [...(route.spec.rules ?? []), ...probes] } };
}

function probeRule(namespace: string, name: string, hash: string, backend: HttpBackendRef): HttpRouteRule {
  return {
    matches: [
      {
        path: { type: 'PathPrefix', value: `${probePathPrefix}/revision/${namespace}/${name}` },
        headers: [{ type: 'Exact', name: hashHeader, value: hashOverride }],
      },
    ],
    filters: [setHeaders({ [hashHeader]: hash })],
    backendRefs: [backend],
  };
}

function mapRules(route: HttpRoute, change: (rule: HttpRouteRule) => HttpRouteRule): HttpRoute {
  return { ...route, spec: { ...route.spec, rules: (route.spec.rules ?? []).map(change) } };
}

/** The URLs, without scheme, at which a route's probes are answered. Inside of the cluster one host stands for all. */
export function probeUrls(rule: IngressRule, route: HttpRoute): readonly string[] {
  const hostnames = route.spec.hostnames ?? [];
  const hosts = rule.visibility === 'ClusterLocal' ? hostnames.slice(-1) : hostnames;
  const paths = (route.spec.rules ?? []).flatMap(({ matches = [] }) =>
    matches.filter(({ headers = [] }) => headers.some(({ name }) => name === hashHeader)).map(({ path }) => path?.value ?? ''),
  );
  return [...new Set(paths.flatMap((path) => hosts.map((host) => `${host}${path}`)))];
}
