import { coreServices } from '../../api/core/core-service.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { certificates, type Certificate, type HTTP01Challenge } from '../../api/networking/certificate.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { parsedConfig } from '../config/read.ts';
import { textMap } from '../../api/yaml-values.ts';
import { parseSmallYaml } from '../../api/small-yaml.ts';
import { semanticEqual } from '../equal.ts';
import { adler32 } from '../hash/adler32.ts';
import { labelKeys } from '../keys.ts';
import { certificateConditions } from '../lifecycle/certificate.ts';
import { controllerReference } from '../metadata.ts';
import { failPass, PassFailure, runPass, type Pass } from '../pass.ts';
import {
  certManagerCertificates,
  challenges as challengeKind,
  clusterIssuers,
  type CertManagerCertificate,
  type IssuerReference,
} from './cert-manager-kinds.ts';

type CertificateStatus = NonNullable<Certificate['status']>;
type CertificatePass = Pass<CertificateStatus>;

const commonNameMax = 63;
/** Put before a domain when the full name is too long for a certificate's common name. */
const shortPrefix = 'k.';
const uidLabel = 'networking.internal.knative.dev/certificate-uid';
const httpDomainLabel = 'acme.cert-manager.io/http-domain';
/** Reasons of cert-manager that mean waiting, not failing. */
const pendingReasons = new Set(['InProgress', 'Pending', 'TemporaryCertificate']);

/** `config-certmanager`: who issues certificates of each type; Knative's self-signed issuer by default. */
interface IssuerConfig {
  readonly external: IssuerReference;
  readonly clusterLocal: IssuerReference;
  readonly systemInternal: IssuerReference;
}

const issuerConfig = parsedConfig('config-certmanager', (data): IssuerConfig => {
  const issuer = (key: string): IssuerReference => ({
    kind: 'ClusterIssuer',
    name: 'knative-selfsigned-issuer',
    ...(data[key] !== undefined && textMap(parseSmallYaml(data[key]))),
  });
  return {
    external: issuer('issuerRef'),
    clusterLocal: issuer('clusterLocalIssuerRef'),
    systemInternal: issuer('systemInternalIssuerRef'),
  };
});

/** Knative Certificate → Certificate of cert-manager, its state, and the HTTP-01 challenges that the Ingress has to let through. */
export const certManagerReconciler: Reconciler<Certificate> = {
  name: 'cert-manager',
  kind: certificates,
  reconcile(certificate, world, nowMs) {
    return runPass<CertificateStatus>(certificate, certificateConditions, nowMs, {}, (pass) => {
      try {
        reconcile(pass, certificate, world);
      } catch (error) {
        if (error instanceof PassFailure && pass.conditions.get('Ready')?.status !== 'False') {
          pass.conditions.markUnknown('Ready', 'ReconcileFailed', 'Cert-Manager certificate has not yet been reconciled.');
        }
        throw error;
      }
    });
  },
};

function reconcile(pass: CertificatePass, certificate: Certificate, world: Reader): void {
  const desired = makeCertManagerCertificate(certificate, issuerConfig(world));
  if ('reason' in desired) {
    pass.conditions.markFalse('Ready', desired.reason, desired.message);
    failPass(desired.message);
  }
  const issued = syncIssued(pass, desired, world);
  const { notAfter, renewalTime, conditions } = issued.status ?? {};
  delete pass.status.notAfter;
  if (notAfter !== undefined) pass.status.notAfter = notAfter;
  const ready = conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined) {
    const message = 'The ready condition of Cert Manager Certificate does not exist.';
    pass.conditions.markUnknown('Ready', 'NoCertManagerCertCondition', message);
  } else if (ready.status === 'True') {
    if (renewalTime === undefined || pass.nowMs <= Date.parse(renewalTime)) {
      pass.conditions.clear('Renewing');
      pass.conditions.markTrue('Ready');
      delete pass.status.http01Challenges;
      return;
    }
    pass.conditions.set({ type: 'Renewing', status: 'True' });
  } else if (ready.status === 'Unknown' || pendingReasons.has(ready.reason ?? '')) {
    pass.conditions.markUnknown('Ready', ready.reason, ready.message);
  } else pass.conditions.markFalse('Ready', ready.reason, ready.message);
  setChallenges(pass, certificate, issued, world);
}

/** cert-manager's Certificate for a Knative one, or why there cannot be one. */
export function makeCertManagerCertificate(
  certificate: Certificate,
  issuers: IssuerConfig,
): CertManagerCertificate | { readonly reason: string; readonly message: string } {
  const { metadata, spec } = certificate;
  const failure = (reason: string, text: string) => ({ reason, message: `error creating cert-manager certificate: ${text}` });
  let commonName = spec.dnsNames[0] ?? '';
  const dnsNames = [...spec.dnsNames];
  if (commonName.length > commonNameMax) {
    const domain = spec.domain ?? '';
    const tooLong = (text: string) => failure('CommonName Too Long', `CommonName ${text}`);
    if (domain === '') {
      return tooLong(`(${commonName}) too long and field spec.Domain on Kcert is empty, cannot attempt to shorten`);
    }
    if (domain === commonName) return tooLong(`(${commonName}) longer than ${commonNameMax} characters`);
    if (domain.length > commonNameMax - shortPrefix.length) {
      return tooLong(
        `(${domain})(length: ${domain.length}) too long, prepending short prefix of (${shortPrefix})(length: ${shortPrefix.length}) will be longer than 64 bytes`,
      );
    }
    commonName = shortPrefix + domain;
    dnsNames.unshift(commonName);
  }
  const type = metadata.labels?.[labelKeys.certificateType] ?? 'external-domain';
  const issuerRef =
    type === 'external-domain'
      ? issuers.external
      : type === 'cluster-local-domain'
        ? issuers.clusterLocal
        : type === 'system-internal'
          ? issuers.systemInternal
          : undefined;
  if (issuerRef === undefined) return failure('certificate type invalid', `certificate type ${type} is invalid`);
  return {
    apiVersion: apiVersionOf(certManagerCertificates),
    kind: certManagerCertificates.kind,
    metadata: {
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      ownerReferences: [controllerReference(certificates, certificate)],
      ...(metadata.annotations !== undefined && { annotations: metadata.annotations }),
      ...(metadata.labels !== undefined && { labels: metadata.labels }),
    },
    spec: {
      commonName,
      dnsNames,
      issuerRef,
      secretName: spec.secretName,
      secretTemplate: { labels: { [uidLabel]: metadata.uid ?? '' } },
    },
  };
}

function syncIssued(pass: CertificatePass, desired: CertManagerCertificate, world: Reader): CertManagerCertificate {
  const { namespace = '', name } = desired.metadata;
  const existing = world.get(certManagerCertificates, namespace, name);
  if (existing === undefined) {
    pass.event('Created', `Created Cert-Manager Certificate ${namespace}/${name}`);
    return pass.create(certManagerCertificates, desired);
  }
  if (semanticEqual(existing.spec, desired.spec)) return existing;
  pass.event('Updated', `Updated Spec for Cert-Manager Certificate ${namespace}/${name}`);
  return pass.update(certManagerCertificates, { ...existing, spec: desired.spec });
}

/** The challenges that solvers wait for, one per name; none for issuers that prove ownership in other ways. */
function setChallenges(pass: CertificatePass, certificate: Certificate, issued: CertManagerCertificate, world: Reader): void {
  const { namespace = '' } = certificate.metadata;
  const issuerName = issued.spec.issuerRef?.name ?? '';
  const issuer = world.get(clusterIssuers, undefined, issuerName);
  if (issuer === undefined) failPass(`clusterissuer.cert-manager.io "${issuerName}" not found`);
  if (issuer.spec.acme?.solvers?.[0]?.http01 === undefined) return;
  const found: HTTP01Challenge[] = [];
  for (const dnsName of issued.spec.dnsNames ?? []) {
    const value = String(adler32(dnsName));
    const solvers = world.list(coreServices, { namespace, labels: { [httpDomainLabel]: value } });
    if (solvers.length === 0) {
      // A shortened name may have been proven before.
      if (dnsName === shortPrefix + (certificate.spec.domain ?? '')) continue;
      failPass(`no challenge solver service for domain ${dnsName}; selector=${httpDomainLabel}=${value}`);
    }
    for (const solver of solvers) {
      const name = solver.metadata.ownerReferences?.[0]?.name ?? '';
      const challenge = world.get(challengeKind, namespace, name);
      if (challenge === undefined) failPass(`challenge.acme.cert-manager.io "${name}" not found`);
      const { token = '', dnsName: host = '' } = challenge.spec;
      found.push({
        serviceName: solver.metadata.name,
        serviceNamespace: namespace,
        servicePort: solver.spec.ports?.[0]?.targetPort ?? 0,
        url: `http://${host}/.well-known/acme-challenge/${token}`,
      });
    }
  }
  pass.status.http01Challenges = found;
}
