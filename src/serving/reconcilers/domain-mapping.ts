import type { HTTP01Challenge } from '../../api/networking/certificate.ts';
import { clusterDomainClaims } from '../../api/networking/cluster-domain-claim.ts';
import { ingresses, type Ingress, type IngressTLS } from '../../api/networking/ingress.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { domainMappings, type DomainMapping, type DomainMappingStatus } from '../../api/serving/domain-mapping.ts';
import { networkConfig, type NetworkConfig } from '../config/network.ts';
import { clusterServiceDomain, annotationSpellings, annotationValue, labelKeys } from '../keys.ts';
import {
  domainMappingConditions,
  markCertificateNotReady,
  markCertificateNotRequired,
  markDomainClaimed,
  markDomainClaimNotOwned,
  markReferenceNotResolved,
  markReferenceResolved,
  tlsProvidedExternally,
} from '../lifecycle/domain-mapping.ts';
import { isOutdated, isReady } from '../lifecycle/readiness.ts';
import {
  externalDomainTlsNotEnabled,
  markCertificateNotOwned,
  markCertificateReady,
  markHttpDowngrade,
  markIngressNotConfigured,
  markTlsNotEnabled,
  propagateIngressStatus,
} from '../lifecycle/route.ts';
import { httpOptionOf } from '../http-option.ts';
import { failPass, runPass, runStatelessPass, type Pass } from '../pass.ts';
import { makeCertificate, makeIngressTls } from '../resources/certificate.ts';
import { makeDomainClaim, makeDomainMappingIngress } from '../resources/domain-mapping-ingress.ts';
import { ingressName } from '../resources/ingress.ts';
import { certificateNotOwned, syncCertificate } from './child-certificate.ts';
import { resolveReference } from './resolve-reference.ts';
import { updateIngress } from './route.ts';
import { byUrl, isExternalTlsEnabled } from './route-tls.ts';

type MappingPass = Pass<DomainMappingStatus>;

/** DomainMapping → ClusterDomainClaim (when they are made automatically), Certificate and Ingress. */
export const domainMappingReconciler: Reconciler<DomainMapping> = {
  name: 'domain-mapping',
  kind: domainMappings,
  reconcile(mapping, world, nowMs) {
    const network = networkConfig(world);
    return runPass<DomainMappingStatus>(mapping, domainMappingConditions, nowMs, {}, (pass) => {
      const { name, annotations } = mapping.metadata;
      if (isOutdated(mapping)) markIngressNotConfigured(pass.conditions);
      setUrl(pass, network.defaultExternalScheme, name);
      claimDomain(pass, mapping, network, world);
      const { tls, challenges } = syncTls(pass, mapping, network, world);
      const { host, serviceName } = resolveTarget(pass, mapping, world);
      const http = httpOptionOf(network, annotations);
      if ('error' in http) failPass(http.error);
      const ingressClass = annotationValue(annotations, annotationSpellings.ingressClass) || network.defaultIngressClass;
      const desired = makeDomainMappingIngress({
        mapping,
        serviceName,
        host,
        ingressClass,
        httpOption: http.option,
        tls,
        challenges,
      });
      const ingress = syncIngress(pass, mapping, desired, world);
      if (isOutdated(ingress)) markIngressNotConfigured(pass.conditions);
      else propagateIngressStatus(pass.conditions, ingress.status);
    });
  },
  finalizer: 'domainmappings.serving.knative.dev',
  finalize(mapping, world, nowMs) {
    return runStatelessPass(nowMs, (pass) => {
      if (!networkConfig(world).autocreateClusterDomainClaims) return;
      const claim = world.get(clusterDomainClaims, undefined, mapping.metadata.name);
      if (claim !== undefined && claim.spec.namespace === mapping.metadata.namespace) pass.delete(clusterDomainClaims, claim);
    });
  },
};

function setUrl(pass: MappingPass, scheme: string, domain: string): void {
  const url = `${scheme}://${domain}`;
  pass.status.url = url;
  pass.status.address = { url };
}

function claimDomain(pass: MappingPass, mapping: DomainMapping, network: NetworkConfig, world: Reader): void {
  const { name, namespace = '' } = mapping.metadata;
  const claim = world.get(clusterDomainClaims, undefined, name);
  if (claim === undefined) {
    if (!network.autocreateClusterDomainClaims) {
      markDomainClaimNotOwned(pass.conditions);
      failPass(`no ClusterDomainClaim found for domain "${name}" (and autocreate-cluster-domain-claims property is not true)`);
    }
    pass.create(clusterDomainClaims, makeDomainClaim(mapping));
  } else if (claim.spec.namespace !== namespace) {
    markDomainClaimNotOwned(pass.conditions);
    failPass(`namespace "${namespace}" does not own ClusterDomainClaim for "${name}"`);
  }
  markDomainClaimed(pass.conditions);
}

function syncTls(
  pass: MappingPass,
  mapping: DomainMapping,
  network: NetworkConfig,
  world: Reader,
): { readonly tls: readonly IngressTLS[]; readonly challenges: readonly HTTP01Challenge[] } {
  const { name, namespace = '', annotations } = mapping.metadata;
  if (mapping.spec.tls !== undefined) {
    markCertificateNotRequired(pass.conditions, tlsProvidedExternally);
    setUrl(pass, 'https', name);
    const { secretName } = mapping.spec.tls;
    return { tls: [{ hosts: [name], secretName, secretNamespace: namespace }], challenges: [] };
  }
  if (!isExternalTlsEnabled(network.externalDomainTLS, annotations)) {
    markTlsNotEnabled(pass.conditions, externalDomainTlsNotEnabled);
    return { tls: [], challenges: [] };
  }
  const desired = makeCertificate({
    kind: domainMappings,
    owner: mapping,
    ownerLabel: labelKeys.domainMappingUid,
    name: ingressName(mapping),
    dnsNames: [name],
    domain: name,
    certificateClass: network.defaultCertificateClass,
    type: 'external-domain',
  });
  const certificate = syncCertificate(pass, world, mapping, desired);
  if (certificate === undefined) {
    markCertificateNotOwned(pass.conditions, desired.metadata.name);
    failPass(certificateNotOwned(domainMappings, mapping, desired.metadata.name));
  }
  setUrl(pass, 'https', name);
  if (isReady(certificate)) {
    markCertificateReady(pass.conditions);
    return { tls: [makeIngressTls(certificate, desired.spec.dnsNames)], challenges: [] };
  }
  if (network.httpProtocol === 'enabled') {
    setUrl(pass, 'http', name);
    markHttpDowngrade(pass.conditions, certificate.metadata.name);
  } else markCertificateNotReady(pass.conditions, certificate.metadata.name);
  return { tls: [], challenges: [...(certificate.status?.http01Challenges ?? [])].sort(byUrl) };
}

/** The Service of the mapping's own namespace behind the reference. */
function resolveTarget(
  pass: MappingPass,
  mapping: DomainMapping,
  world: Reader,
): { readonly host: string; readonly serviceName: string } {
  const fail = (message: string, error = message): never => {
    markReferenceNotResolved(pass.conditions, message);
    failPass(error);
  };
  const resolved = resolveReference(mapping.spec.ref, mapping.metadata.namespace, world);
  if ('error' in resolved) return fail(resolved.error, `resolving reference: ${resolved.error}`);
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)/i.exec(resolved.url);
  const host = match?.[1] ?? '';
  if ((match?.[2] ?? '').replace(/\/$/, '') !== '') return fail(`resolved URI "${resolved.url}" contains a path`);
  const suffix = `.${clusterServiceDomain}`;
  const [serviceName = '', namespace, ...more] = host.endsWith(suffix) ? host.slice(0, -suffix.length).split('.') : [];
  if (namespace === undefined || more.length > 0) {
    return fail(`resolved URI "${resolved.url}" must be of the form {name}.{namespace}${suffix}`);
  }
  if (namespace !== mapping.metadata.namespace) {
    return fail(`resolved URI "${resolved.url}" must be in same namespace as DomainMapping`);
  }
  markReferenceResolved(pass.conditions);
  return { host, serviceName };
}

function syncIngress(pass: MappingPass, mapping: DomainMapping, desired: Ingress, world: Reader): Ingress {
  const existing = world.get(ingresses, mapping.metadata.namespace, desired.metadata.name);
  if (existing !== undefined) return updateIngress(pass, existing, desired);
  pass.event('Created', `Created Ingress "${desired.metadata.name}"`);
  return pass.create(ingresses, desired);
}
