import type { Kind } from '../kind.ts';
import { array, intOrString, object, present, required, string, type TypeOf } from '../schema.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { validateCertificate } from './certificate-admission.ts';

export const http01Challenge = object({
  url: string,
  serviceName: string,
  serviceNamespace: string,
  servicePort: intOrString,
});
export type HTTP01Challenge = TypeOf<typeof http01Challenge>;

const certificateSchema = object({
  ...resourceFields,
  spec: present(object({ dnsNames: required(array(string)), domain: string, secretName: required(string) })),
  status: object({ ...statusFields, notAfter: string, http01Challenges: array(http01Challenge) }),
});
/** A TLS certificate that a provider has to obtain. */
export type Certificate = TypeOf<typeof certificateSchema>;

export const certificates: Kind<Certificate> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Certificate',
  plural: 'certificates',
  singular: 'certificate',
  shortNames: ['kcert'],
  namespaced: true,
  schema: certificateSchema,
  statusSubresource: true,
  validate: validateCertificate,
};
