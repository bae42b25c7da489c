import type { Kind } from '../kind.ts';
import { object, present, required, string, type TypeOf } from '../schema.ts';
import { resourceFields } from '../core/metadata.ts';

const clusterDomainClaimSchema = object({ ...resourceFields, spec: present(object({ namespace: required(string) })) });
/** Which namespace may map a domain; named after the domain. */
export type ClusterDomainClaim = TypeOf<typeof clusterDomainClaimSchema>;

export const clusterDomainClaims: Kind<ClusterDomainClaim> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'ClusterDomainClaim',
  plural: 'clusterdomainclaims',
  singular: 'clusterdomainclaim',
  shortNames: ['cdc'],
  namespaced: false,
  schema: clusterDomainClaimSchema,
  statusSubresource: false,
};
