/** Owner reference of a resource, as Kubernetes defines it. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Metadata of every resource (`metav1.ObjectMeta`, the fields that this package reads or writes). */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  /** Counts changes of `spec`; set by the store. */
  generation?: number;
  /** RFC 3339, seconds. */
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

/** Any resource: what stores and the controller handle. Each kind's own type narrows `spec`, `status` or its other top-level fields. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

/** One condition of a status (`apis.Condition` of knative.dev/pkg). */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  /** Left out for severity Error. */
  severity?: 'Warning' | 'Info';
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

/** `namespace/name`, or `name` for a cluster-scoped resource: the key of a resource within its kind. */
export function resourceKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
