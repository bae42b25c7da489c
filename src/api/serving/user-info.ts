import { goEqual } from '../go-equal.ts';
import type { AdmissionContext } from '../kind.ts';
import type { Resource } from '../resource.ts';
import { creatorAnnotation, modifierAnnotation } from './metadata-validation.ts';

export const isUpdate = (context: AdmissionContext): boolean =>
  context.operation === 'update' || context.operation === 'updateStatus';

/** Notes who created the object, or who changed its spec, in annotations. Without a user, or a change, nothing is noted. */
export function withUserInfo<R extends Resource>(resource: R, context: AdmissionContext): R {
  const { user, old } = context;
  if (user === undefined) return resource;
  const update = isUpdate(context);
  if (update && goEqual(old?.spec, resource.spec, true, 'spec')) return resource;
  const annotations: Record<string, string> = { ...resource.metadata.annotations, [modifierAnnotation]: user };
  if (!update) annotations[creatorAnnotation] = user;
  return { ...resource, metadata: { ...resource.metadata, annotations } };
}
