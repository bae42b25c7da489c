/** An annotation and its spellings in order of priority: the dashed one, then a camelCase one where upstream has it. */
export type AnnotationSpellings = readonly [string, ...string[]];

export const autoscalingGroup = 'autoscaling.knative.dev';

const dashed = (name: string): AnnotationSpellings => [`${autoscalingGroup}/${name}`];
const both = (name: string, camelCase: string): AnnotationSpellings => [
  `${autoscalingGroup}/${name}`,
  `${autoscalingGroup}/${camelCase}`,
];

/** Every autoscaling annotation of a revision. Source: knative/serving pkg/apis/autoscaling/register.go. */
export const autoscalingAnnotations = {
  class: dashed('class'),
  metric: dashed('metric'),
  target: dashed('target'),
  window: dashed('window'),
  activationScale: dashed('activation-scale'),
  minScale: both('min-scale', 'minScale'),
  maxScale: both('max-scale', 'maxScale'),
  initialScale: both('initial-scale', 'initialScale'),
  scaleDownDelay: both('scale-down-delay', 'scaleDownDelay'),
  targetUtilizationPercentage: both('target-utilization-percentage', 'targetUtilizationPercentage'),
  targetBurstCapacity: both('target-burst-capacity', 'targetBurstCapacity'),
  panicWindowPercentage: both('panic-window-percentage', 'panicWindowPercentage'),
  panicThresholdPercentage: both('panic-threshold-percentage', 'panicThresholdPercentage'),
  scaleToZeroPodRetentionPeriod: both('scale-to-zero-pod-retention-period', 'scaleToZeroPodRetentionPeriod'),
  metricAggregationAlgorithm: both('metric-aggregation-algorithm', 'metricAggregationAlgorithm'),
} as const satisfies Record<string, AnnotationSpellings>;

/** PodAutoscaler classes that Knative itself serves. */
export const kpaClass = 'kpa.autoscaling.knative.dev';
export const hpaClass = 'hpa.autoscaling.knative.dev';

/** Least target value of a metric. */
export const targetMin = 0.01;
/** Bounds of the stable window. */
export const windowMinMs = 6_000;
export const windowMaxMs = 3_600_000;

export type Annotations = Readonly<Record<string, string>> | undefined;

/** The first spelling that is present, with its value; an empty value counts as present. */
export function findAnnotation(
  annotations: Annotations,
  spellings: AnnotationSpellings,
): { readonly key: string; readonly value: string } | undefined {
  if (annotations === undefined) return undefined;
  for (const key of spellings) {
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    if (value !== undefined) return { key, value };
  }
  return undefined;
}
