import type { Kind } from '../kind.ts';
import { any, array, int32, int64, object, present, quantity, required, string, type TypeOf } from '../schema.ts';
import { labelSelector, resourceFields } from '../core/metadata.ts';
import { podCondition } from '../core/pod.ts';

const metricIdentifier = object({ name: required(string), selector: labelSelector });
const metricTarget = object({
  type: required(string),
  value: quantity,
  averageValue: quantity,
  averageUtilization: int32,
});

export const metricSpec = object({
  type: required(string),
  object: object({
    describedObject: required(object({ kind: required(string), name: required(string), apiVersion: string })),
    target: required(metricTarget),
    metric: required(metricIdentifier),
  }),
  pods: object({ metric: required(metricIdentifier), target: required(metricTarget) }),
  resource: object({ name: required(string), target: required(metricTarget) }),
  containerResource: object({ name: required(string), target: required(metricTarget), container: required(string) }),
  external: object({ metric: required(metricIdentifier), target: required(metricTarget) }),
});
export type MetricSpec = TypeOf<typeof metricSpec>;

const scalingRules = object({
  stabilizationWindowSeconds: int32,
  selectPolicy: string,
  policies: array(object({ type: required(string), value: required(int32), periodSeconds: required(int32) })),
  tolerance: quantity,
});

const horizontalPodAutoscalerSchema = object({
  ...resourceFields,
  spec: present(
    object({
      scaleTargetRef: present(object({ kind: required(string), name: required(string), apiVersion: string })),
      minReplicas: int32,
      maxReplicas: present(int32),
      metrics: array(metricSpec),
      behavior: object({ scaleUp: scalingRules, scaleDown: scalingRules }),
    }),
  ),
  status: object({
    observedGeneration: int64,
    lastScaleTime: string,
    currentReplicas: int32,
    desiredReplicas: int32,
    currentMetrics: array(any),
    conditions: array(podCondition),
  }),
});
export type HorizontalPodAutoscaler = TypeOf<typeof horizontalPodAutoscalerSchema>;

export const horizontalPodAutoscalers: Kind<HorizontalPodAutoscaler> = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  namespaced: true,
  schema: horizontalPodAutoscalerSchema,
  statusSubresource: true,
};
