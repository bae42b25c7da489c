import type { Kind } from '../kind.ts';
import { describe, object, present, required, string, type TypeOf } from '../schema.ts';
import { addressable, knativeReference, resourceFields, statusFields } from '../core/metadata.ts';
import { defaultDomainMapping, validateDomainMapping } from './domain-mapping-admission.ts';

const domainMappingSchema = object({
  ...resourceFields,
  spec: present(
    object({
      ref: present(knativeReference),
      tls: describe(object({ secretName: required(string) }), 'the own certificate of this domain'),
    }),
  ),
  status: object({ ...statusFields, url: string, address: addressable }),
});
/** A domain (the object's name) that leads to a Service or another addressable. */
export type DomainMapping = TypeOf<typeof domainMappingSchema>;
export type DomainMappingStatus = NonNullable<DomainMapping['status']>;

export const domainMappings: Kind<DomainMapping> = {
  group: 'serving.knative.dev',
  version: 'v1beta1',
  kind: 'DomainMapping',
  plural: 'domainmappings',
  singular: 'domainmapping',
  shortNames: ['dm'],
  namespaced: true,
  schema: domainMappingSchema,
  statusSubresource: true,
  defaults: defaultDomainMapping,
  validate: validateDomainMapping,
};
