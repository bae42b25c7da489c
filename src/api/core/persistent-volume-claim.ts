import type { Kind } from '../kind.ts';
import { array, map, object, oneOf, present, quantity, string, type TypeOf } from '../schema.ts';
import { resourceFields } from './metadata.ts';
import { podCondition } from './pod.ts';
import { persistentVolumeClaimSpec } from './volumes.ts';

const persistentVolumeClaimSchema = object({
  ...resourceFields,
  spec: present(persistentVolumeClaimSpec),
  status: object({
    phase: oneOf('Pending', 'Bound', 'Lost'),
    accessModes: array(string),
    capacity: map(quantity),
    conditions: array(podCondition),
  }),
});
export type PersistentVolumeClaim = TypeOf<typeof persistentVolumeClaimSchema>;

export const persistentVolumeClaims: Kind<PersistentVolumeClaim> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  namespaced: true,
  schema: persistentVolumeClaimSchema,
  statusSubresource: true,
};
