import type { Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import type { Resource } from '../api/resource.ts';

/** True when every part of the selector holds for the object. */
export function selects<R extends Resource>(selector: ListSelector, resource: R, kind: Pick<Kind<R>, 'indexed'>): boolean {
  const { namespace, labels, ownerUid, index } = selector;
  const { metadata } = resource;
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  if (ownerUid !== undefined && controllerUidOf(resource) !== ownerUid) return false;
  if (index !== undefined && kind.indexed?.(resource).includes(index) !== true) return false;
  if (labels !== undefined) {
    for (const name in labels) if (metadata.labels?.[name] !== labels[name]) return false;
  }
  return true;
}

/** Uid of the owner that is marked as controller. */
export function controllerUidOf(resource: Resource): string | undefined {
  return resource.metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
}
