import { coreServices, type CoreService } from '../../api/core/core-service.ts';
import { secrets, type Secret } from '../../api/core/secret.ts';
import { ingresses, type Ingress, type IngressStatus, type IngressTLS } from '../../api/networking/ingress.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { configOrDefault, parsedConfig } from '../config/read.ts';
import { networkConfig } from '../config/network.ts';
import type { Visibility } from '../domain-name.ts';
import { semanticEqual } from '../equal.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import {
  ingressConditions,
  markIngressNotReady,
  markLoadBalancerFailed,
  markLoadBalancerNotReady,
  markLoadBalancerReady,
  markNetworkConfigured,
  markResourceNotOwned,
} from '../lifecycle/ingress.ts';
import { isOutdated } from '../lifecycle/readiness.ts';
import { isControlledBy } from '../metadata.ts';
import { failPass, PassFailure, runPass, runStatelessPass, type Pass } from '../pass.ts';
import { ingressLabel } from './gateway-api-route.ts';
import { probeFact } from './gateway-api.ts';
import { ingressHash, tlsForVisibility, withProbes } from './ingress-probe.ts';
import { gatewaysFor, parseIstioConfig, type IstioGatewayEntry } from './istio-config.ts';
import { istioGateways, virtualServices, type IstioGateway, type VirtualService } from './istio-kinds.ts';
import {
  belongsToIngress,
  copySecret,
  isWildcard,
  makeHttpServer,
  makeIngressGateway,
  makeTlsServers,
  makeWildcardGateway,
  originLabels,
  secretHosts,
  secretKey,
  targetSecretName,
  wildcardSecretName,
} from './istio-tls.ts';
import { makeVirtualServices, type GatewayNames, type HostMatch } from './istio-virtual-service.ts';

export interface IstioReconcilerOptions {
  /** Default `exact`; `prefix` is upstream's way, by which `example.com` also takes `example.com.evil.org`. */
  readonly hostMatch?: HostMatch;
}

const istioClass = 'istio.ingress.networking.knative.dev';
const istioConfig = parsedConfig('config-istio', (data) => configOrDefault(parseIstioConfig, data));

type IngressPass = Pass<IngressStatus>;

/**
 * Ingress → VirtualServices of Istio, with Gateways and copies of TLS secrets where it has certificates or redirects to HTTPS.
 * Source: knative-extensions/net-istio.
 */
export function createIstioReconciler({ hostMatch = 'exact' }: IstioReconcilerOptions = {}): Reconciler<Ingress> {
  return {
    name: 'istio',
    kind: ingresses,
    reconcile(ingress, world, nowMs) {
      return runPass<IngressStatus>(ingress, ingressConditions, nowMs, {}, (pass) => {
        try {
          reconcile(pass, ingresses.defaults?.(ingress, {}) ?? ingress, hostMatch, world);
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
        finalize(pass, ingress, world);
      });
    },
  };
}

function reconcile(pass: IngressPass, ingress: Ingress, hostMatch: HostMatch, world: Reader): void {
  const config = istioConfig(world);
  const hash = ingressHash(ingress);
  const probed = withProbes(ingress, hash);
  if (config.external.length === 0 && config.local.length === 0) {
    syncVirtualServices(pass, ingress, makeVirtualServices(probed, { ExternalIP: [], ClusterLocal: [] }, hostMatch), world);
    cleanUp(pass, ingress, world);
    markNetworkConfigured(pass.conditions);
    setLoadBalancers(pass, undefined, undefined);
    return;
  }
  const external = gatewaysFor(config.external, ingress.metadata.labels);
  const local = gatewaysFor(config.local, ingress.metadata.labels);
  const names = syncGateways(pass, ingress, external, local, world);
  syncVirtualServices(pass, ingress, makeVirtualServices(probed, names, hostMatch), world);
  markNetworkConfigured(pass.conditions);
  if (isServing(pass, ingress, hash, world)) setLoadBalancers(pass, external[0]?.service, local[0]?.service);
  else markLoadBalancerNotReady(pass.conditions);
}

/** A ready Ingress is not probed again before it changes. */
function isServing(pass: IngressPass, ingress: Ingress, hash: string, world: Reader): boolean {
  if (!isOutdated(ingress) && pass.conditions.isHappy()) return true;
  const hosts = (visibility: Visibility): readonly string[] =>
    ingress.spec.rules.filter((rule) => rule.visibility === visibility).flatMap((rule) => rule.hosts);
  const urls = { ExternalIP: hosts('ExternalIP'), ClusterLocal: hosts('ClusterLocal') };
  const key = `${ingress.metadata.namespace ?? ''}/${ingress.metadata.name}`;
  const state = world.fact(probeFact(key, { version: hash, urls }));
  return state?.version === hash && state.ready;
}

function setLoadBalancers(pass: IngressPass, external: string | undefined, local: string | undefined): void {
  const status = (service: string | undefined) =>
    service === undefined || service === '' ? [{ meshOnly: true }] : [{ domainInternal: service }];
  pass.status.publicLoadBalancer = { ingress: status(external) };
  pass.status.privateLoadBalancer = { ingress: status(local) };
  markLoadBalancerReady(pass.conditions);
}

/** The Gateways of the Ingress' own, where it needs some; the names of all that its VirtualService binds to. */
function syncGateways(
  pass: IngressPass,
  ingress: Ingress,
  external: readonly IstioGatewayEntry[],
  local: readonly IstioGatewayEntry[],
  world: Reader,
): GatewayNames {
  const externalNames: string[] = [];
  const localNames = local.map(qualifiedName);
  const isPublic = ingress.spec.rules.some((rule) => rule.visibility === 'ExternalIP');
  const externalTls = isPublic ? tlsForVisibility(ingress, 'ExternalIP') : [];
  let ownExternal: IstioGateway[] = [];
  if (externalTls.length > 0) {
    const made = syncExternalTls(pass, ingress, externalTls, external, world);
    ownExternal = made.own;
    externalNames.push(...made.wildcard.map(nameOf));
  }
  const localTls = tlsForVisibility(ingress, 'ClusterLocal');
  let ownLocal: IstioGateway[] = [];
  if (networkConfig(world).clusterLocalDomainTLS === 'enabled' && localTls.length > 0) {
    const origins = readSecrets(localTls, world);
    copySecrets(pass, [...origins.values()], external, (origin) => targetSecretName(origin, ingress), world);
    ownLocal = makeTlsGateways(ingress, 'ClusterLocal', localTls, origins, external, world);
  }
  if (isPublic && (ingress.spec.httpOption === 'Redirected' || externalTls.length > 0)) {
    const server = makeHttpServer(ingress.spec.httpOption, publicHosts(ingress));
    const servers = server === undefined ? [] : [server];
    if (ownExternal.length === 0) {
      ownExternal = gatewayServices(external, world).map((service) =>
        makeIngressGateway(ingress, 'ExternalIP', service, servers),
      );
    } else {
      ownExternal = ownExternal.map((gateway) => ({
        ...gateway,
        spec: { ...gateway.spec, servers: [...(gateway.spec.servers ?? []), ...servers] },
      }));
    }
  } else externalNames.push(...external.map(qualifiedName));
  for (const gateway of [...ownExternal, ...ownLocal]) syncGateway(pass, gateway, world);
  externalNames.push(...ownExternal.map(nameOf));
  localNames.push(...ownLocal.map(nameOf));
  return { ExternalIP: [...new Set(externalNames)], ClusterLocal: [...new Set(localNames)] };
}

const qualifiedName = ({ namespace, name }: IstioGatewayEntry): string => `${namespace}/${name}`;
const nameOf = ({ metadata }: IstioGateway): string => `${metadata.namespace ?? ''}/${metadata.name}`;

function publicHosts(ingress: Ingress): string[] {
  const hosts = ingress.spec.rules.filter((rule) => rule.visibility === 'ExternalIP').flatMap((rule) => rule.hosts);
  return [...new Set(hosts)].sort();
}

function syncExternalTls(
  pass: IngressPass,
  ingress: Ingress,
  entries: readonly IngressTLS[],
  external: readonly IstioGatewayEntry[],
  world: Reader,
): { readonly own: IstioGateway[]; readonly wildcard: readonly IstioGateway[] } {
  const plain = new Map<string, Secret>();
  const wild = new Map<Secret, readonly string[]>();
  for (const [key, secret] of readSecrets(entries, world)) {
    const hosts = secretHosts(secret);
    if ('error' in hosts) failPass(hosts.error);
    if (isWildcard(hosts)) wild.set(secret, hosts);
    else plain.set(key, secret);
  }
  copySecrets(pass, [...plain.values()], external, (origin) => targetSecretName(origin, ingress), world);
  copySecrets(pass, [...wild.keys()], external, wildcardSecretName, world);
  const own = entries.filter((tls) => plain.has(secretKey(tls)));
  const ownGateways = makeTlsGateways(ingress, 'ExternalIP', own, plain, external, world);
  const wildcard: IstioGateway[] = [];
  if (wild.size > 0) {
    for (const service of gatewayServices(external, world)) {
      for (const [secret, hosts] of wild) wildcard.push(makeWildcardGateway(secret, hosts, service));
    }
  }
  for (const gateway of wildcard) syncGateway(pass, gateway, world);
  return { own: ownGateways, wildcard };
}

function readSecrets(entries: readonly IngressTLS[], world: Reader): Map<string, Secret> {
  const found = new Map<string, Secret>();
  for (const tls of entries) {
    const secret = world.get(secrets, tls.secretNamespace, tls.secretName);
    if (secret === undefined) failPass(`secret "${tls.secretName}" not found`);
    found.set(secretKey(tls), secret);
  }
  return found;
}

/** Name and namespace of the services in front of the external gateways. */
function serviceNames(external: readonly IstioGatewayEntry[]): readonly { readonly name: string; readonly namespace: string }[] {
  return external.map(({ service }) => {
    const [name, namespace, rest] = service.split('.', 3);
    if (name === undefined || namespace === undefined || rest === undefined) failPass(`unexpected service URL form: ${service}`);
    return { name, namespace };
  });
}

function gatewayServices(external: readonly IstioGatewayEntry[], world: Reader): readonly CoreService[] {
  return serviceNames(external).map(({ name, namespace }) => {
    const service = world.get(coreServices, namespace, name);
    if (service === undefined) failPass(`service "${name}" not found`);
    return service;
  });
}

function makeTlsGateways(
  ingress: Ingress,
  visibility: Visibility,
  entries: readonly IngressTLS[],
  origins: ReadonlyMap<string, Secret>,
  external: readonly IstioGatewayEntry[],
  world: Reader,
): IstioGateway[] {
  if (entries.length === 0) return [];
  return gatewayServices(external, world).map((service) => {
    const servers = makeTlsServers(ingress, visibility, entries, service.metadata.namespace ?? '', origins);
    if ('error' in servers) failPass(servers.error);
    return makeIngressGateway(ingress, visibility, service, servers);
  });
}

function copySecrets(
  pass: IngressPass,
  origins: readonly Secret[],
  external: readonly IstioGatewayEntry[],
  targetName: (origin: Secret) => string,
  world: Reader,
): void {
  for (const origin of origins) {
    for (const { namespace } of serviceNames(external)) {
      if (namespace === origin.metadata.namespace) continue;
      const desired = copySecret(origin, targetName(origin), namespace);
      const existing = world.get(secrets, namespace, desired.metadata.name);
      const { labels = {} } = desired.metadata;
      if (existing === undefined) pass.create(secrets, desired);
      else if (!semanticEqual(existing.data, desired.data) || !semanticEqual(existing.metadata.labels, labels)) {
        pass.update(secrets, { ...existing, data: desired.data ?? {}, metadata: { ...existing.metadata, labels } });
      }
    }
  }
}

function syncGateway(pass: IngressPass, desired: IstioGateway, world: Reader): void {
  const existing = world.get(istioGateways, desired.metadata.namespace, desired.metadata.name);
  if (existing === undefined) pass.create(istioGateways, desired);
  else if (!semanticEqual(existing.spec, desired.spec)) pass.update(istioGateways, { ...existing, spec: desired.spec });
}

/** Makes, updates and removes VirtualServices; those of other Ingress classes are not made. */
function syncVirtualServices(pass: IngressPass, ingress: Ingress, desired: readonly VirtualService[], world: Reader): void {
  const kept = new Set<string>();
  for (const wanted of desired) {
    if (wanted.metadata.annotations?.[annotationKeys.ingressClass] !== istioClass) continue;
    syncVirtualService(pass, ingress, wanted, world);
    kept.add(wanted.metadata.name);
  }
  const { namespace, name, labels } = ingress.metadata;
  const inNamespace = namespace === undefined ? {} : { namespace };
  const found = new Map<string, VirtualService>();
  // Before 0.12 they carried the route's label only.
  for (const selector of [{ [ingressLabel]: name }, { [labelKeys.route]: labels?.[labelKeys.route] ?? '' }]) {
    for (const service of world.list(virtualServices, { ...inNamespace, labels: selector }))
      found.set(service.metadata.name, service);
  }
  for (const service of [...found.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    if (!kept.has(service.metadata.name) && isControlledBy(service, ingress)) pass.delete(virtualServices, service);
  }
}

function syncVirtualService(pass: IngressPass, ingress: Ingress, desired: VirtualService, world: Reader): void {
  const { namespace, name } = desired.metadata;
  const existing = world.get(virtualServices, namespace, name);
  if (existing === undefined) {
    pass.create(virtualServices, desired);
    pass.event('Created', `Created VirtualService "${name}"`);
    return;
  }
  if (!isControlledBy(existing, ingress)) {
    markResourceNotOwned(pass.conditions, 'VirtualService', name);
    const message = `notowned: owner: ${ingress.metadata.name} with Type *v1alpha1.Ingress does not own VirtualService: "${name}"`;
    markLoadBalancerFailed(pass.conditions, 'ReconcileVirtualServiceFailed', message);
    failPass(message);
  }
  const { labels = {}, annotations = {} } = desired.metadata;
  if (
    semanticEqual(existing.spec, desired.spec) &&
    semanticEqual(existing.metadata.labels, labels) &&
    semanticEqual(existing.metadata.annotations, annotations)
  ) {
    return;
  }
  pass.update(virtualServices, { ...existing, spec: desired.spec, metadata: { ...existing.metadata, labels, annotations } });
  pass.event('Updated', `Updated VirtualService ${namespace ?? ''}/${name}`);
}

/** Removes what gateways left behind once there are none. */
function cleanUp(pass: IngressPass, ingress: Ingress, world: Reader): void {
  const { namespace, name } = ingress.metadata;
  const selector = { ...(namespace !== undefined && { namespace }), labels: { [ingressLabel]: name } };
  for (const gateway of world.list(istioGateways, selector)) {
    if (isControlledBy(gateway, ingress)) pass.delete(istioGateways, gateway);
  }
  deleteCopies(pass, ingress, undefined, world);
}

function deleteCopies(pass: Pass, ingress: Ingress, namespaces: readonly string[] | undefined, world: Reader): void {
  if (tlsForVisibility(ingress, 'ExternalIP').length + tlsForVisibility(ingress, 'ClusterLocal').length === 0) return;
  for (const { secretName, secretNamespace } of ingress.spec.tls ?? []) {
    for (const secret of world.list(secrets, { labels: originLabels(secretName, secretNamespace) })) {
      if (namespaces === undefined || namespaces.includes(secret.metadata.namespace ?? '')) pass.delete(secrets, secret);
    }
  }
}

/** Takes the Ingress' servers out of shared Gateways, and deletes the copies of its secrets. */
function finalize(pass: Pass, ingress: Ingress, world: Reader): void {
  const config = istioConfig(world);
  if (config.external.length === 0 && config.local.length === 0) return;
  for (const { namespace, name } of [...config.external, ...config.local]) {
    const gateway = world.get(istioGateways, namespace, name);
    const servers = gateway?.spec.servers ?? [];
    const others = servers.filter((server) => !belongsToIngress(server, ingress));
    if (gateway === undefined || others.length === servers.length) continue;
    // Istio refuses a Gateway without servers.
    const kept = others.length > 0 ? others : [placeholderServer];
    pass.update(istioGateways, { ...gateway, spec: { ...gateway.spec, servers: kept } });
    pass.event('Updated', `Updated Gateway ${namespace}/${name}`);
  }
  const external = gatewaysFor(config.external, ingress.metadata.labels);
  deleteCopies(
    pass,
    ingress,
    serviceNames(external).map(({ namespace }) => namespace),
    world,
  );
}

const placeholderServer = {
  hosts: ['place-holder.place-holder'],
  port: { name: 'place-holder', number: 9_999, protocol: 'HTTP' },
};
