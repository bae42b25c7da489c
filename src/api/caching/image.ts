import type { Kind } from '../kind.ts';
import { array, object, present, required, string, type TypeOf } from '../schema.ts';
import { plainStatus, resourceFields } from '../core/metadata.ts';

const imageSchema = object({
  ...resourceFields,
  spec: present(
    object({ image: required(string), serviceAccountName: string, imagePullSecrets: array(object({ name: string })) }),
  ),
  status: plainStatus,
});
/** An image that nodes may cache. */
export type Image = TypeOf<typeof imageSchema>;

export const images: Kind<Image> = {
  group: 'caching.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Image',
  plural: 'images',
  singular: 'image',
  namespaced: true,
  schema: imageSchema,
  statusSubresource: true,
};
