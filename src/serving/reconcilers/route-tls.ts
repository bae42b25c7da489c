import { findCondition } from '../../api/conditions.ts';
import { certificates, type Certificate, type HTTP01Challenge } from '../../api/networking/certificate.ts';
import type { IngressTLS } from '../../api/networking/ingress.ts';
import { routes } from '../../api/serving/route.ts';
import { domainForLabels } from '../config/domain.ts';
import { isTrueText } from '../config/read.ts';
import { clusterLocalForms, domainName, isClusterLocalDomain, tagHostname } from '../domain-name.ts';
import { annotationSpellings, annotationValue, labelKeys } from '../keys.ts';
import { isFailed, isReady } from '../lifecycle/readiness.ts';
import {
  externalDomainTlsNotEnabled,
  markCertificateNotOwned,
  markCertificateNotReady,
  markCertificateProvisionFailed,
  markCertificateReady,
  markHttpDowngrade,
  markTlsNotEnabled,
  tlsNotEnabledForClusterLocal,
} from '../lifecycle/route.ts';
import type { StringMap } from '../metadata.ts';
import { failPass } from '../pass.ts';
import { makeClusterLocalCertificate, makeIngressTls, makeRouteCertificates } from '../resources/certificate.ts';
import { certificateNotOwned, syncCertificate } from './child-certificate.ts';
import type { RoutePass } from './route.ts';

/** TLS of a Route's Ingress: what its Certificates give, and the challenges that authorities still want answered. */
interface RouteTls {
  readonly tls: readonly IngressTLS[];
  readonly challenges: readonly HTTP01Challenge[];
}

/** Asks for the Certificates that config-network wants, says how far they are, and gives what the Ingress needs of them. */
export function syncRouteTls(routePass: RoutePass): RouteTls {
  const { pass, route, naming } = routePass;
  const external = isExternalTlsEnabled(naming.network.externalDomainTLS, route.metadata.annotations);
  const result = external ? syncExternalTls(routePass) : undefined;
  if (result === undefined) markTlsNotEnabled(pass.conditions, externalDomainTlsNotEnabled);
  const { tls = [], challenges = [] } = result ?? {};
  if (naming.network.clusterLocalDomainTLS === 'enabled') return { tls: [...tls, ...syncClusterLocalTls(routePass)], challenges };
  if (result?.certificateCount === 0) markTlsNotEnabled(pass.conditions, tlsNotEnabledForClusterLocal);
  return { tls, challenges };
}

/** External TLS is on in config-network and the object does not opt out. */
export function isExternalTlsEnabled(enabled: boolean, annotations: StringMap | undefined): boolean {
  return enabled && !isTrueText(annotationValue(annotations, annotationSpellings.disableExternalDomainTls));
}

function syncExternalTls(routePass: RoutePass): RouteTls & { readonly certificateCount: number } {
  const { pass, route, world, naming, traffic, visibility } = routePass;
  const { namespace, labels } = route.metadata;
  const tagsByDomain = new Map<string, string>();
  for (const tag of traffic.targets.keys()) {
    const hostname = tagHostname(naming, route.metadata.name, tag);
    const domain = domainName(naming, route.metadata, hostname, visibility.get(tag) ?? 'ExternalIP');
    if (!isClusterLocalDomain(domain)) tagsByDomain.set(domain, tag);
  }
  const routeDomain = domainForLabels(naming.domain, labels);
  const wildcards = world.list(certificates, {
    ...(namespace !== undefined && { namespace }),
    labels: { [labelKeys.wildcardDomain]: routeDomain },
  });
  const desiredCertificates = makeRouteCertificates(route, tagsByDomain, certificateClassOf(routePass), routeDomain);
  const tls: IngressTLS[] = [];
  const challenges: HTTP01Challenge[] = [];
  for (const desired of desiredCertificates) {
    const wildcard = wildcards.find((candidate) => matchesWildcard(desired.spec.dnsNames, candidate.spec.dnsNames));
    const certificate = wildcard ?? syncOwnCertificate(routePass, desired);
    const names = [...(wildcard === undefined ? certificate : desired).spec.dnsNames].sort();
    useScheme(routePass, names, 'https');
    if (isReady(certificate)) {
      const renewing = findCondition(certificate.status?.conditions, 'Renewing')?.status === 'True';
      if (renewing) challenges.push(...(certificate.status?.http01Challenges ?? []));
      markCertificateReady(pass.conditions);
      tls.push(makeIngressTls(certificate, names));
      continue;
    }
    challenges.push(...(certificate.status?.http01Challenges ?? []));
    if (isFailed(certificate)) markCertificateProvisionFailed(pass.conditions, certificate);
    else markCertificateNotReady(pass.conditions, certificate);
    if (naming.network.httpProtocol !== 'enabled') continue;
    useScheme(routePass, names, 'http');
    markHttpDowngrade(pass.conditions, certificate.metadata.name);
  }
  challenges.sort(byUrl);
  deleteOrphans(routePass, new Set(tagsByDomain.keys()), 'external-domain');
  return { tls, challenges, certificateCount: desiredCertificates.length };
}

export function byUrl({ url: a = '' }: HTTP01Challenge, { url: b = '' }: HTTP01Challenge): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function syncClusterLocalTls(routePass: RoutePass): readonly IngressTLS[] {
  const { pass, route, naming, traffic } = routePass;
  const tls: IngressTLS[] = [];
  const used = new Set<string>();
  for (const tag of [...traffic.targets.keys()].sort()) {
    const hostname = tagHostname(naming, route.metadata.name, tag);
    const names = clusterLocalForms(domainName(naming, route.metadata, hostname, 'ClusterLocal'));
    const desired = makeClusterLocalCertificate(route, tag, names, certificateClassOf(routePass));
    const certificate = syncOwnCertificate(routePass, desired);
    if (isReady(certificate)) {
      const { address, url } = pass.status;
      if (address?.url !== undefined) pass.status.address = { ...address, url: withScheme(address.url, 'https') };
      if (url !== undefined && names.includes(hostOf(url))) pass.status.url = withScheme(url, 'https');
      markCertificateReady(pass.conditions);
      tls.push(makeIngressTls(certificate, names));
    } else if (isFailed(certificate)) markCertificateProvisionFailed(pass.conditions, certificate);
    else markCertificateNotReady(pass.conditions, certificate);
    for (const name of names) used.add(name);
  }
  deleteOrphans(routePass, used, 'cluster-local-domain');
  return tls;
}

function syncOwnCertificate({ pass, route, world }: RoutePass, desired: Certificate): Certificate {
  const certificate = syncCertificate(pass, world, route, desired);
  if (certificate !== undefined) return certificate;
  markCertificateNotOwned(pass.conditions, desired.metadata.name);
  failPass(certificateNotOwned(routes, route, desired.metadata.name));
}

function certificateClassOf({ route, naming }: RoutePass): string {
  return (
    annotationValue(route.metadata.annotations, annotationSpellings.certificateClass) || naming.network.defaultCertificateClass
  );
}

/** A wildcard certificate serves names that have one label more than it. */
function matchesWildcard(names: readonly string[], wildcardNames: readonly string[]): boolean {
  const parents = new Set(wildcardNames.filter((name) => name.includes('.')).map(parentOf));
  return names.every((name) => name.includes('.') && parents.has(parentOf(name)));
}

function parentOf(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** Certificates of the route whose domains are not used any more. */
function deleteOrphans({ pass, route, world }: RoutePass, used: ReadonlySet<string>, type: string): void {
  const { namespace, name } = route.metadata;
  const selector = { ...(namespace !== undefined && { namespace }), labels: { [labelKeys.route]: name } };
  for (const certificate of world.list(certificates, selector)) {
    if (certificate.metadata.labels?.[labelKeys.certificateType] !== type) continue;
    if (certificate.spec.dnsNames.some((dnsName) => used.has(dnsName))) continue;
    pass.delete(certificates, certificate);
    pass.event('Deleted', `Deleted orphaned Knative Certificate ${namespace ?? ''}/${certificate.metadata.name}`);
  }
}

/** Gives the URLs of the status whose host is among the names this scheme. */
function useScheme({ pass }: RoutePass, names: readonly string[], scheme: 'http' | 'https'): void {
  const { url, traffic } = pass.status;
  if (url !== undefined && names.includes(hostOf(url))) pass.status.url = withScheme(url, scheme);
  if (traffic === undefined) return;
  pass.status.traffic = traffic.map((target) =>
    target.url !== undefined && names.includes(hostOf(target.url)) ? { ...target, url: withScheme(target.url, scheme) } : target,
  );
}

function hostOf(url: string): string {
  return url.slice(url.indexOf('://') + 3);
}

function withScheme(url: string, scheme: string): string {
  return `${scheme}://${hostOf(url)}`;
}
