import type { Condition, ObjectMeta, OwnerReference } from '../resource.ts';
import {
  any,
  array,
  boolean,
  describe,
  int64,
  map,
  object,
  oneOf,
  present,
  required,
  string,
  type PresentSchema,
  type Schema,
  type TypeOf,
} from '../schema.ts';

export const ownerReference: Schema<OwnerReference> = object({
  apiVersion: required(string),
  kind: required(string),
  name: required(string),
  uid: required(string),
  controller: boolean,
  blockOwnerDeletion: boolean,
});

const metadataFields = {
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
  managedFields: array(any),
};

/** Metadata of a resource. */
export const objectMeta: Schema<ObjectMeta> = object({ name: present(string), ...metadataFields });

/** Metadata of a template: what the objects made from it get; a name is possible but rare. */
export const templateMeta = object({ name: string, ...metadataFields });
export type TemplateMeta = TypeOf<typeof templateMeta>;

/** `metav1.LabelSelector`. */
export const labelSelector = object({
  matchLabels: map(string),
  matchExpressions: array(
    object({ key: required(string), operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')), values: array(string) }),
  ),
});
export type LabelSelector = TypeOf<typeof labelSelector>;

/** A condition of knative.dev/pkg. */
export const condition: Schema<Condition> = object({
  type: required(string),
  status: required(oneOf('True', 'False', 'Unknown')),
  severity: oneOf('Warning', 'Info'),
  lastTransitionTime: string,
  reason: string,
  message: string,
});

/** Fields of every Knative status (`duckv1.Status`); spread into a status' own. */
export const statusFields = {
  observedGeneration: describe(int64, 'generation of the spec that this status is about'),
  conditions: array(condition),
  annotations: map(string),
};

/** The status of a kind that has none but the common fields. */
export const plainStatus = object(statusFields);
export type PlainStatus = TypeOf<typeof plainStatus>;

/** `duckv1.Addressable`. */
export const addressable = object({ name: string, url: string, CACerts: string, audience: string });
export type Addressable = TypeOf<typeof addressable>;

/** `duckv1.KReference`: a reference to an object by kind. */
export const knativeReference = object({
  kind: required(string),
  namespace: string,
  name: required(string),
  apiVersion: string,
  group: string,
  address: string,
});
export type KnativeReference = TypeOf<typeof knativeReference>;

/** `corev1.ObjectReference`. */
export const objectReference = object({
  kind: string,
  namespace: string,
  name: string,
  uid: string,
  apiVersion: string,
  resourceVersion: string,
  fieldPath: string,
});
export type ObjectReference = TypeOf<typeof objectReference>;

/** The fields that every resource has; spread into a kind's own. */
export const resourceFields: {
  readonly apiVersion: PresentSchema<string>;
  readonly kind: PresentSchema<string>;
  readonly metadata: PresentSchema<ObjectMeta>;
} = {
  apiVersion: required(string),
  kind: required(string),
  metadata: present(objectMeta),
};
