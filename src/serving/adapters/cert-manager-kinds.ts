import { plainStatus, resourceFields } from '../../api/core/metadata.ts';
import type { Kind } from '../../api/kind.ts';
import { any, array, int32, map, object, present, string, type TypeOf } from '../../api/schema.ts';

/** The kinds of cert-manager that Knative reads and writes, as far as it does. */

const issuerReference = object({ name: string, kind: string, group: string });
export type IssuerReference = TypeOf<typeof issuerReference>;

const certManagerCertificateSchema = object({
  ...resourceFields,
  spec: present(
    object({
      commonName: string,
      dnsNames: array(string),
      issuerRef: issuerReference,
      secretName: string,
      secretTemplate: object({ labels: map(string), annotations: map(string) }),
    }),
  ),
  status: object({
    conditions: array(object({ type: string, status: string, reason: string, message: string, lastTransitionTime: string })),
    notBefore: string,
    notAfter: string,
    renewalTime: string,
    revision: int32,
  }),
});
export type CertManagerCertificate = TypeOf<typeof certManagerCertificateSchema>;

export const certManagerCertificates: Kind<CertManagerCertificate> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'Certificate',
  plural: 'certificates',
  singular: 'certificate',
  namespaced: true,
  schema: certManagerCertificateSchema,
  statusSubresource: true,
};

const clusterIssuerSchema = object({
  ...resourceFields,
  spec: present(
    object({
      acme: object({
        server: string,
        email: string,
        privateKeySecretRef: any,
        solvers: array(object({ http01: any, dns01: any, selector: any })),
      }),
      ca: any,
      selfSigned: any,
      vault: any,
      venafi: any,
    }),
  ),
  status: plainStatus,
});
export type ClusterIssuer = TypeOf<typeof clusterIssuerSchema>;

export const clusterIssuers: Kind<ClusterIssuer> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'ClusterIssuer',
  plural: 'clusterissuers',
  singular: 'clusterissuer',
  namespaced: false,
  schema: clusterIssuerSchema,
  statusSubresource: true,
};

const challengeSchema = object({
  ...resourceFields,
  spec: present(object({ token: string, dnsName: string, key: string, type: string, url: string })),
  status: plainStatus,
});
export type Challenge = TypeOf<typeof challengeSchema>;

export const challenges: Kind<Challenge> = {
  group: 'acme.cert-manager.io',
  version: 'v1',
  kind: 'Challenge',
  plural: 'challenges',
  singular: 'challenge',
  namespaced: true,
  schema: challengeSchema,
  statusSubresource: true,
};
