import type { Kind } from '../kind.ts';
import { array, object, oneOf, string, type TypeOf } from '../schema.ts';
import { podCondition } from './pod.ts';
import { resourceFields } from './metadata.ts';

const namespaceSchema = object({
  ...resourceFields,
  spec: object({ finalizers: array(string) }),
  status: object({ phase: oneOf('Active', 'Terminating'), conditions: array(podCondition) }),
});
export type Namespace = TypeOf<typeof namespaceSchema>;

export const namespaces: Kind<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  schema: namespaceSchema,
  statusSubresource: true,
};
