import type { Kind } from '../../src/api/kind.ts';
import type { Resource } from '../../src/api/resource.ts';
import { any, type Schema } from '../../src/api/schema.ts';

/** Two small kinds for tests of the store and the controller. */
export interface Parent extends Resource {
  spec: { children: number };
  status?: { ready: number };
}
export interface Child extends Resource {
  spec: { index: number };
  status?: { up: boolean };
}

const base = {
  group: 'test.example.com',
  version: 'v1',
  namespaced: true,
  statusSubresource: true,
  schema: any as Schema<never>,
} as const;
export const parents: Kind<Parent> = {
  ...base,
  kind: 'Parent',
  plural: 'parents',
  singular: 'parent',
  schema: any as Schema<never>,
};
export const children: Kind<Child> = {
  ...base,
  kind: 'Child',
  plural: 'children',
  singular: 'child',
  schema: any as Schema<never>,
};

export const parent = (name: string, count = 1, extra: Partial<Parent['metadata']> = {}): Parent => ({
  apiVersion: 'test.example.com/v1',
  kind: 'Parent',
  metadata: { name, namespace: 'default', ...extra },
  spec: { children: count },
});

export const child = (name: string, index: number, owner?: Parent, extra: Partial<Child['metadata']> = {}): Child => ({
  apiVersion: 'test.example.com/v1',
  kind: 'Child',
  metadata: {
    name,
    namespace: 'default',
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [
            {
              apiVersion: owner.apiVersion,
              kind: owner.kind,
              name: owner.metadata.name,
              uid: owner.metadata.uid ?? '',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        }),
    ...extra,
  },
  spec: { index },
});
