import type { Kind } from '../kind.ts';
import { boolean, describe, map, object, string, type TypeOf } from '../schema.ts';
import { resourceFields } from './metadata.ts';

const secretSchema = object({
  ...resourceFields,
  immutable: boolean,
  data: describe(map(string), 'values in base64'),
  stringData: describe(map(string), 'plain values; the API server moves them into data'),
  type: string,
});
export type Secret = TypeOf<typeof secretSchema>;

export const secrets: Kind<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  schema: secretSchema,
  statusSubresource: false,
};
