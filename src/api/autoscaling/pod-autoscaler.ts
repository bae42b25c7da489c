import type { Kind } from '../kind.ts';
import { int32, object, oneOf, plainInt64, present, required, string, type TypeOf } from '../schema.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { defaultPodAutoscaler, validatePodAutoscaler } from './pod-autoscaler-admission.ts';

/** What is scaled (`corev1.ObjectReference`, the fields that upstream fills in). */
export const scaleTargetReference = object({
  apiVersion: required(string),
  kind: required(string),
  name: required(string),
  namespace: string,
  uid: string,
  resourceVersion: string,
  fieldPath: string,
});

const podAutoscalerSchema = object({
  ...resourceFields,
  spec: present(
    object({
      containerConcurrency: plainInt64,
      scaleTargetRef: present(scaleTargetReference),
      reachability: oneOf('', 'Reachable', 'Unreachable'),
      protocolType: present(oneOf('', 'http1', 'h2c')),
    }),
  ),
  status: object({
    ...statusFields,
    serviceName: string,
    metricsServiceName: string,
    desiredScale: int32,
    actualScale: int32,
  }),
});
/** How one Revision's Deployment is scaled; made by the Revision reconciler. */
export type PodAutoscaler = TypeOf<typeof podAutoscalerSchema>;
export type PodAutoscalerStatus = NonNullable<PodAutoscaler['status']>;

export const podAutoscalers: Kind<PodAutoscaler> = {
  group: 'autoscaling.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'PodAutoscaler',
  plural: 'podautoscalers',
  singular: 'podautoscaler',
  shortNames: ['kpa', 'pa'],
  namespaced: true,
  schema: podAutoscalerSchema,
  statusSubresource: true,
  defaults: defaultPodAutoscaler,
  validate: validatePodAutoscaler,
};
