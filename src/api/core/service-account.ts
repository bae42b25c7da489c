import type { Kind } from '../kind.ts';
import { array, boolean, object, string, type TypeOf } from '../schema.ts';
import { objectReference, resourceFields } from './metadata.ts';

const serviceAccountSchema = object({
  ...resourceFields,
  secrets: array(objectReference),
  imagePullSecrets: array(object({ name: string })),
  automountServiceAccountToken: boolean,
});
export type ServiceAccount = TypeOf<typeof serviceAccountSchema>;

export const serviceAccounts: Kind<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  schema: serviceAccountSchema,
  statusSubresource: false,
};
