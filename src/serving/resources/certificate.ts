import { apiVersionOf, type Kind } from '../../api/kind.ts';
import { certificates, type Certificate } from '../../api/networking/certificate.ts';
import type { IngressTLS } from '../../api/networking/ingress.ts';
import type { Resource } from '../../api/resource.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { adler32 } from '../hash/adler32.ts';
import { annotationKeys, clusterServiceDomain, labelKeys } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';
import { excludedAnnotations } from './ingress.ts';

interface CertificateInput {
  readonly kind: Pick<Kind, 'group' | 'version' | 'kind'>;
  readonly owner: Resource;
  /** Label that says whose certificate it is. */
  readonly ownerLabel: string;
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly domain: string;
  readonly certificateClass: string;
  readonly type: 'external-domain' | 'cluster-local-domain';
}

export function makeCertificate(input: CertificateInput): Certificate {
  const { kind, owner, ownerLabel, name, dnsNames, domain, certificateClass, type } = input;
  const { namespace, annotations } = owner.metadata;
  return {
    apiVersion: apiVersionOf(certificates),
    kind: certificates.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [controllerReference(kind, owner)],
      annotations: {
        [annotationKeys.certificateClass]: certificateClass,
        ...withoutKeys(annotations, (key) => excludedAnnotations.has(key)),
      },
      labels: { [ownerLabel]: owner.metadata.name, [labelKeys.certificateType]: type },
    },
    spec: { dnsNames: [...dnsNames], domain, secretName: name },
  };
}

/** The name of the certificate for one tag of a Route. */
function certificateName(route: Route, tag: string): string {
  return `route-${route.metadata.uid ?? ''}${tag === '' ? '' : `-${adler32(tag)}`}`;
}

/** Certificates for the public domains of a Route, one per domain, in order of the domains. */
export function makeRouteCertificates(
  route: Route,
  tagsByDomain: ReadonlyMap<string, string>,
  certificateClass: string,
  domain: string,
): Certificate[] {
  return [...tagsByDomain.keys()].sort().map((dnsName) =>
    makeCertificate({
      kind: routes,
      owner: route,
      ownerLabel: labelKeys.route,
      name: certificateName(route, tagsByDomain.get(dnsName) ?? ''),
      dnsNames: [dnsName],
      domain,
      certificateClass,
      type: 'external-domain',
    }),
  );
}

/** The certificate for the names of one tag inside of the cluster. */
export function makeClusterLocalCertificate(
  route: Route,
  tag: string,
  dnsNames: readonly string[],
  certificateClass: string,
): Certificate {
  return makeCertificate({
    kind: routes,
    owner: route,
    ownerLabel: labelKeys.route,
    name: `${certificateName(route, tag)}-local`,
    dnsNames,
    domain: clusterServiceDomain,
    certificateClass,
    type: 'cluster-local-domain',
  });
}

export function makeIngressTls(certificate: Certificate, hosts: readonly string[]): IngressTLS {
  return {
    hosts: [...hosts],
    secretName: certificate.spec.secretName,
    secretNamespace: certificate.metadata.namespace ?? '',
  };
}
