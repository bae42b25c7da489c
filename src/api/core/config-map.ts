import type { Kind } from '../kind.ts';
import { boolean, map, object, string, type TypeOf } from '../schema.ts';
import { resourceFields } from './metadata.ts';

const configMapSchema = object({ ...resourceFields, immutable: boolean, data: map(string), binaryData: map(string) });
export type ConfigMap = TypeOf<typeof configMapSchema>;

export const configMaps: Kind<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  schema: configMapSchema,
  statusSubresource: false,
};
