import { apiVersionOf, type Kind } from '../api/kind.ts';
import type { ObjectMeta, OwnerReference, Resource } from '../api/resource.ts';

export type StringMap = Readonly<Record<string, string>>;

/** The owner reference that makes `owner` the controller of a child. */
export function controllerReference(
  kind: Pick<Kind, 'group' | 'version' | 'kind'>,
  owner: { readonly metadata: ObjectMeta },
): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function controllerOf(resource: { readonly metadata: ObjectMeta }): OwnerReference | undefined {
  return resource.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(resource: { readonly metadata: ObjectMeta }, owner: { readonly metadata: ObjectMeta }): boolean {
  const controller = controllerOf(resource);
  return controller !== undefined && controller.uid === (owner.metadata.uid ?? '');
}

/** A copy without the keys that `excluded` names. */
export function withoutKeys(map: StringMap | undefined, excluded: (key: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const key in map) {
    const value = map[key];
    if (value !== undefined && !excluded(key)) kept[key] = value;
  }
  return kept;
}

/** Names in an annotation that lists them separated by commas. */
export function listAnnotation(annotations: StringMap | undefined, key: string): Set<string> {
  const text = annotations?.[key];
  return new Set(text === undefined || text === '' ? [] : text.split(','));
}

/** The text of such an annotation: sorted. */
export function joinList(names: Iterable<string>): string {
  return [...names].sort().join(',');
}

/** The same object with other metadata, spec or further fields; what it was read with stays in place. */
export function withChanges<R extends Resource>(resource: R, changes: Partial<R> & { metadata?: Partial<ObjectMeta> }): R {
  return { ...resource, ...changes, metadata: { ...resource.metadata, ...changes.metadata } };
}
