import type { ObjectMeta } from '../resource.ts';
import { anyObject, array, boolean, int64, map, object, required, string, type Schema } from '../schema.ts';

const ownerReference = object({
  apiVersion: required(string),
  kind: required(string),
  name: required(string),
  uid: required(string),
  controller: boolean,
  blockOwnerDeletion: boolean,
});

/** `metav1.ObjectMeta`, the fields that this package reads, writes or lets pass. */
export const objectMeta: Schema<ObjectMeta> = object({
  name: required(string),
  generateName: string,
  namespace: string,
  selfLink: string,
  uid: string,
  resourceVersion: string,
  generation: int64,
  creationTimestamp: string,
  deletionTimestamp: string,
  deletionGracePeriodSeconds: int64,
  labels: map(string),
  annotations: map(string),
  finalizers: array(string),
  ownerReferences: array(ownerReference),
  managedFields: array(anyObject),
});

/** A kind with `spec` and `status`. */
export function resourceSchema<S, T>(
  spec: Schema<S>,
  status: Schema<T>,
): Schema<{ apiVersion: string; kind: string; metadata: ObjectMeta; spec?: S; status?: T }> {
  return object({ apiVersion: required(string), kind: required(string), metadata: required(objectMeta), spec, status });
}
