import { apiVersionOf } from '../../api/kind.ts';
import { ingresses, type Ingress, type IngressRule, type IngressStatus, type IngressTLS } from '../../api/networking/ingress.ts';
import type { FactRequest, Reader, Reconciler } from '../../api/reconciler.ts';
import { childName } from '../../api/child-name.ts';
import { configOrDefault, parsedConfig } from '../config/read.ts';
import type { Visibility } from '../domain-name.ts';
import { semanticEqual } from '../equal.ts';
import { clusterServiceDomain } from '../keys.ts';
import {
  ingressConditions,
  markIngressNotReady,
  markLoadBalancerFailed,
  markLoadBalancerNotReady,
  markLoadBalancerReady,
  markNetworkConfigured,
} from '../lifecycle/ingress.ts';
import { controllerReference, isControlledBy } from '../metadata.ts';
import { failPass, PassFailure, runPass, runStatelessPass, type Pass } from '../pass.ts';
import { parseGatewayApiConfig, type GatewayApiConfig, type GatewayEntry } from './gateway-api-config.ts';
import {
  gateways,
  httpRoutes,
  referenceGrants,
  type HttpRoute,
  type Listener,
  type ReferenceGrant,
} from './gateway-api-kinds.ts';
import {
  compareBackends,
  ingressLabel,
  makeHttpRoute,
  probeUrls,
  routeNameOf,
  withEndpointProbes,
  withoutEndpointProbes,
  withProbeHash,
} from './gateway-api-route.ts';
import { ingressHash, tlsForVisibility, withProbes } from './ingress-probe.ts';

/** How far the prober is with a route (or an Ingress): the version that it was asked for last, and whether all of it answers. */
export interface ProbeState {
  readonly version: string;
  readonly ready: boolean;
}

/** What to probe. */
export interface ProbeTarget {
  readonly version: string;
  readonly urls: Readonly<Partial<Record<Visibility, readonly string[]>>>;
}

/**
 * The question about a probe: provider `ingress-probe`, key `namespace/name` of what is probed. With a target the provider starts
 * to probe that version, unless it does already.
 */
export function probeFact(key: string, target?: ProbeTarget): FactRequest<ProbeState> {
  return { provider: 'ingress-probe', key, ...(target !== undefined && { params: target }) };
}

const endpointPrefix = 'ep-';
const transitionPrefix = 'tr-';
const gatewayApiConfig = parsedConfig('config-gateway', (data) => configOrDefault(parseGatewayApiConfig, data));

type IngressPass = Pass<IngressStatus>;

/**
 * Ingress → HTTPRoutes of the Gateway API, one per rule, for clusters whose gateways speak it. New backends are probed before
 * traffic moves to them. Source: knative-extensions/net-gateway-api.
 */
export const gatewayApiReconciler: Reconciler<Ingress> = {
  name: 'gateway-api',
  kind: ingresses,
  reconcile(ingress, world, nowMs) {
    const config = gatewayApiConfig(world);
    return runPass<IngressStatus>(ingress, ingressConditions, nowMs, {}, (pass) => {
      try {
        reconcile(pass, ingresses.defaults?.(ingress, {}) ?? ingress, config, world);
      } catch (error) {
        if (error instanceof PassFailure)
          markIngressNotReady(pass.conditions, 'ReconcileIngressFailed', 'Ingress reconciliation failed');
        throw error;
      }
    });
  },
  finalizer: 'ingresses.networking.internal.knative.dev',
  finalize(ingress, world, nowMs) {
    return runStatelessPass(nowMs, (pass) => {
      const { namespace, name } = gatewayApiConfig(world).external;
      const gateway = world.get(gateways, namespace, name);
      const listeners = gateway?.spec.listeners ?? [];
      const kept = listeners.filter((listener) => listener.name !== listenerName(ingress));
      if (gateway === undefined || kept.length === listeners.length) return;
      pass.update(gateways, { ...gateway, spec: { ...gateway.spec, listeners: kept } });
    });
  },
};

function reconcile(pass: IngressPass, ingress: Ingress, config: GatewayApiConfig, world: Reader): void {
  const hash = ingressHash(ingress);
  const probed = withProbes(ingress, hash);
  const names = new Set<string>();
  let ready = true;
  for (const rule of probed.spec.rules) {
    const name = routeNameOf(rule);
    if (names.has(name) && world.get(httpRoutes, ingress.metadata.namespace, name) === undefined) {
      failPass(`failed to create HTTPRoute: httproutes.gateway.networking.k8s.io "${name}" already exists`);
    }
    names.add(name);
    const { route, version } = syncRoute(pass, probed, rule, hash, config, world);
    if (!isAccepted(route)) {
      ready = false;
      markIngressNotReady(pass.conditions, 'HTTPRouteNotReady', 'Waiting for HTTPRoute becomes Ready.');
      continue;
    }
    markNetworkConfigured(pass.conditions);
    const visibility = rule.visibility ?? 'ExternalIP';
    const key = `${ingress.metadata.namespace ?? ''}/${name}`;
    const state = world.fact(probeFact(key, { version, urls: { [visibility]: probeUrls(rule, route) } }));
    ready &&= state?.version === version && state.ready;
  }
  deleteStale(pass, ingress, names, world);
  const listeners = tlsForVisibility(ingress, 'ExternalIP').flatMap((tls) => syncTls(pass, ingress, tls, config.external, world));
  if (listeners.length > 0) syncListeners(pass, listeners, config.external, world);
  if (!ready) {
    markLoadBalancerNotReady(pass.conditions);
    return;
  }
  const external = loadBalancerOf(pass, config.external, world);
  const local = external === undefined ? undefined : loadBalancerOf(pass, config.local, world);
  if (external === undefined || local === undefined) return;
  pass.status.publicLoadBalancer = { ingress: [external] };
  pass.status.privateLoadBalancer = { ingress: [local] };
  markLoadBalancerReady(pass.conditions);
}

function isAccepted(route: HttpRoute): boolean {
  const parents = route.status?.parents;
  if (parents === undefined) return false;
  return parents.every(({ conditions = [] }) => conditions.find(({ type }) => type === 'Accepted')?.status === 'True');
}

/** Makes a rule's route or takes it one step further; `version` is what has to answer now. */
function syncRoute(
  pass: IngressPass,
  ingress: Ingress,
  rule: IngressRule,
  hash: string,
  config: GatewayApiConfig,
  world: Reader,
): { readonly route: HttpRoute; readonly version: string } {
  const wanted = makeHttpRoute(ingress, rule, config);
  const { namespace = '', name } = wanted.metadata;
  const existing = world.get(httpRoutes, namespace, name);
  if (existing === undefined) {
    pass.event('Created', `Created HTTPRoute "${name}"`);
    return { route: pass.create(httpRoutes, wanted), version: hash };
  }
  const probe = world.fact(probeFact(`${namespace}/${name}`));
  const { route: desired, version } = nextRoute(existing, wanted, rule, hash, probe);
  const { labels = {}, annotations = {} } = wanted.metadata;
  if (
    semanticEqual(existing.spec, desired.spec) &&
    semanticEqual(existing.metadata.labels, labels) &&
    semanticEqual(existing.metadata.annotations, annotations)
  ) {
    return { route: existing, version };
  }
  const changed = { ...existing, spec: desired.spec, metadata: { ...existing.metadata, labels, annotations } };
  return { route: pass.update(httpRoutes, changed), version };
}

/**
 * New backends go through two phases before the wanted route: first they are added as endpoints that only probes reach (`ep-`), then
 * traffic moves while old and new ones stay reachable for probes (`tr-`).
 */
function nextRoute(
  existing: HttpRoute,
  wanted: HttpRoute,
  rule: IngressRule,
  hash: string,
  probe: ProbeState | undefined,
): { readonly route: HttpRoute; readonly version: string } {
  const probeVersion = probe?.version ?? '';
  const isEndpoint = probeVersion.startsWith(endpointPrefix);
  const isTransition = probeVersion.startsWith(transitionPrefix);
  const probeHash = isEndpoint || isTransition ? probeVersion.slice(endpointPrefix.length) : probeVersion;
  const ready = probe?.ready === true && probeHash === hash;
  const { added, existing: old } = compareBackends(existing, rule);
  if (isTransition && ready) return { route: wanted, version: hash };
  if (isEndpoint && ready) {
    const version = transitionPrefix + hash;
    return { route: withEndpointProbes(withProbeHash(wanted, version), version, added, old), version };
  }
  if (probeHash === hash) return { route: existing, version: probeVersion };
  if (added.length === 0) return { route: wanted, version: hash };
  const version = endpointPrefix + hash;
  return { route: withEndpointProbes(withoutEndpointProbes(withProbeHash(existing, version)), version, added, old), version };
}

function deleteStale(pass: IngressPass, ingress: Ingress, names: ReadonlySet<string>, world: Reader): void {
  const { namespace, name } = ingress.metadata;
  const selector = { ...(namespace !== undefined && { namespace }), labels: { [ingressLabel]: name } };
  for (const route of world.list(httpRoutes, selector)) if (!names.has(route.metadata.name)) pass.delete(httpRoutes, route);
}

function listenerName(ingress: Ingress): string {
  return `kni-${ingress.metadata.uid ?? ''}`;
}

/** Lets the Gateway read the certificate, and gives the listeners that it needs for it. */
function syncTls(
  pass: IngressPass,
  ingress: Ingress,
  tls: IngressTLS,
  gateway: GatewayEntry,
  world: Reader,
): readonly Listener[] {
  const desired = makeReferenceGrant(ingress, tls, gateway);
  const { namespace, name } = desired.metadata;
  const existing = world.get(referenceGrants, namespace, name);
  if (existing === undefined) pass.create(referenceGrants, desired);
  else if (!isControlledBy(existing, ingress)) {
    pass.event('NotOwned', `ReferenceGrant ${name} not owned by this object`, 'Warning');
    failPass(`ReferenceGrant ${name} not owned by ${ingress.metadata.name}`);
  } else if (!semanticEqual(existing.spec, desired.spec)) pass.update(referenceGrants, { ...existing, spec: desired.spec });
  return tls.hosts.map((hostname) => ({
    name: listenerName(ingress),
    hostname,
    port: 443,
    protocol: 'HTTPS',
    tls: {
      mode: 'Terminate',
      certificateRefs: [{ group: '', kind: 'Secret', name: tls.secretName, namespace: tls.secretNamespace }],
    },
    allowedRoutes: {
      namespaces: {
        from: 'Selector',
        selector: { matchLabels: { 'kubernetes.io/metadata.name': ingress.metadata.namespace ?? '' } },
      },
      kinds: [],
    },
  }));
}

function makeReferenceGrant(ingress: Ingress, tls: IngressTLS, gateway: GatewayEntry): ReferenceGrant {
  return {
    apiVersion: apiVersionOf(referenceGrants),
    kind: referenceGrants.kind,
    metadata: {
      name: childName(ingress.metadata.name, `-${tls.secretName}-${gateway.namespace}`),
      namespace: tls.secretNamespace,
      ownerReferences: [controllerReference(ingresses, ingress)],
    },
    spec: {
      from: [{ group: gateways.group, kind: gateways.kind, namespace: gateway.namespace }],
      to: [{ group: '', kind: 'Secret', name: tls.secretName }],
    },
  };
}

/** Puts the listeners into the Gateway; of several with one name the last one counts. */
function syncListeners(
  pass: IngressPass,
  listeners: readonly Listener[],
  { namespace, name }: GatewayEntry,
  world: Reader,
): void {
  const gateway = world.get(gateways, namespace, name);
  if (gateway === undefined) {
    pass.event('GatewayMissing', `Unable to update Gateway ${namespace}/${name}`, 'Warning');
    failPass(`Gateway ${namespace}/${name} does not exist: gateway.gateway.networking.k8s.io "${name}" not found`);
  }
  const wanted = new Map(listeners.map((listener) => [listener.name, listener]));
  const merged = (gateway.spec.listeners ?? []).map((listener) => {
    const desired = wanted.get(listener.name);
    wanted.delete(listener.name);
    return desired ?? listener;
  });
  merged.push(...wanted.values());
  if (!semanticEqual(merged, gateway.spec.listeners))
    pass.update(gateways, { ...gateway, spec: { ...gateway.spec, listeners: merged } });
}

type LoadBalancer = { domainInternal: string } | { ip: string };

/** Where a Gateway takes requests; `undefined` when the Gateway is not there, which the status says then. */
function loadBalancerOf(pass: IngressPass, entry: GatewayEntry, world: Reader): LoadBalancer | undefined {
  const { namespace, name, service } = entry;
  if (service !== undefined) return { domainInternal: `${service.name}.${service.namespace}.${clusterServiceDomain}` };
  const gateway = world.get(gateways, namespace, name);
  if (gateway === undefined) {
    markLoadBalancerFailed(pass.conditions, 'GatewayDoesNotExist', `could not find Gateway ${namespace}/${name}`);
    return undefined;
  }
  const [address] = gateway.status?.addresses ?? [];
  if (address === undefined) {
    markLoadBalancerNotReady(pass.conditions);
    failPass(`no address found in status of Gateway ${namespace}/${name}`);
  }
  return address.type === 'IPAddress' ? { ip: address.value } : { domainInternal: address.value };
}
