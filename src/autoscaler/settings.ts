import {
  autoscalingAnnotations as keys,
  findAnnotation,
  kpaClass,
  targetMin,
  type Annotations,
  type AnnotationSpellings,
} from '../api/autoscaling/annotation-keys.ts';
import type { AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import { parseGoDurationValue, parseGoFloat, parseGoInt } from '../api/autoscaling/go-values.ts';
import type { DeciderSpec } from './policy.ts';

const progressDeadlineKeys: AnnotationSpellings = [
  'serving.knative.dev/progress-deadline',
  'serving.knative.dev/progressDeadline',
];
const bucketMs = 1_000;

/** What the scaling of a revision depends on, as its PodAutoscaler has it. */
export interface ScalingInput {
  readonly annotations?: Annotations;
  /** Requests at a time per instance; 0 for no limit. */
  readonly containerConcurrency?: number | undefined;
  readonly reachability?: '' | 'Reachable' | 'Unreachable' | undefined;
}

// Getters ignore what they cannot parse: admission has refused it already, or the object predates the rule.
function floatOf(annotations: Annotations, spellings: AnnotationSpellings): number | undefined {
  const found = findAnnotation(annotations, spellings);
  const parsed = found === undefined ? undefined : parseGoFloat(found.value);
  return parsed !== undefined && 'value' in parsed ? parsed.value : undefined;
}

function int32Of(annotations: Annotations, spellings: AnnotationSpellings): number | undefined {
  const found = findAnnotation(annotations, spellings);
  const parsed = found === undefined ? undefined : parseGoInt(found.value, 32);
  return parsed !== undefined && 'value' in parsed ? parsed.value : undefined;
}

function durationOf(annotations: Annotations, spellings: AnnotationSpellings): number | undefined {
  const found = findAnnotation(annotations, spellings);
  const parsed = found === undefined ? undefined : parseGoDurationValue(found.value);
  return parsed !== undefined && 'ms' in parsed ? parsed.ms : undefined;
}

/** The class annotation as it stands, KPA without one. */
export function autoscalerClassOf(input: ScalingInput): string {
  return findAnnotation(input.annotations, keys.class)?.value ?? kpaClass;
}

/** The metric annotation as it stands; without one concurrency for the KPA, `cpu` for the HPA, '' for classes of others. */
export function metricOf(input: ScalingInput): string {
  const found = findAnnotation(input.annotations, keys.metric);
  if (found !== undefined) return found.value;
  const className = autoscalerClassOf(input);
  return className === kpaClass ? 'concurrency' : className === 'hpa.autoscaling.knative.dev' ? 'cpu' : '';
}

/** Normalized `metric-aggregation-algorithm`, '' without one; anything but `weighted-exponential` means linear. */
export function aggregationOf(input: ScalingInput): string {
  const value = findAnnotation(input.annotations, keys.metricAggregationAlgorithm)?.value ?? '';
  return value === 'weightedExponential' ? 'weighted-exponential' : value;
}

export function isUnreachable(input: ScalingInput): boolean {
  return input.reachability === 'Unreachable';
}

/** Bounds from annotations and configuration; 0 means none. The minimum does not count while the revision is unreachable. */
export function scaleBoundsOf(input: ScalingInput, config: AutoscalerConfig): { min: number; max: number } {
  const min = isUnreachable(input) ? 0 : (int32Of(input.annotations, keys.minScale) ?? config.minScale);
  return { min, max: int32Of(input.annotations, keys.maxScale) ?? config.maxScale };
}

/** `initial-scale`; 0 where the cluster does not allow it falls back to the cluster's default. */
export function initialScaleOf(input: ScalingInput, config: AutoscalerConfig): number {
  const own = int32Of(input.annotations, keys.initialScale);
  return own === undefined || (own === 0 && !config.allowZeroInitialScale) ? config.initialScale : own;
}

export function stableWindowOf(input: ScalingInput, config: AutoscalerConfig): number {
  return durationOf(input.annotations, keys.window) ?? config.stableWindowMs;
}

/** The share of the stable window, rounded to the second, at least one. */
export function panicWindowOf(input: ScalingInput, config: AutoscalerConfig): number {
  const percentage = floatOf(input.annotations, keys.panicWindowPercentage) ?? config.panicWindowPercentage;
  const nanoseconds = Math.trunc((stableWindowOf(input, config) * 1e6 * percentage) / 100);
  const roundedMs = Math.round(nanoseconds / 1e9) * 1_000;
  // What does not fit into Go's durations counts as the least one there.
  return roundedMs >= bucketMs && nanoseconds < 2 ** 63 ? roundedMs : bucketMs;
}

export function targetBurstCapacityOf(input: ScalingInput, config: AutoscalerConfig): number {
  return floatOf(input.annotations, keys.targetBurstCapacity) ?? config.targetBurstCapacity;
}

/** How long the last pod stays at least after traffic has ended; `undefined` without the annotation. */
export function podRetentionAnnotationOf(input: ScalingInput): number | undefined {
  return durationOf(input.annotations, keys.scaleToZeroPodRetentionPeriod);
}

/** The same with the configuration's default; 0 while unreachable. */
export function podRetentionOf(input: ScalingInput, config: AutoscalerConfig): number {
  if (isUnreachable(input)) return 0;
  return podRetentionAnnotationOf(input) ?? config.scaleToZeroPodRetentionPeriodMs;
}

export function progressDeadlineOf(input: ScalingInput, defaultMs: number): number {
  return durationOf(input.annotations, progressDeadlineKeys) ?? defaultMs;
}

/** Value of the metric per pod to aim at, and the most that a pod can take. */
export function metricTargetOf(input: ScalingInput, config: AutoscalerConfig): { target: number; total: number } {
  const metric = metricOf(input);
  const limit = input.containerConcurrency ?? 0;
  let total = metric === 'rps' ? config.rpsTargetDefault : limit === 0 ? config.containerConcurrencyTargetDefault : limit;
  let utilization = metric === 'rps' ? config.targetUtilization : config.containerConcurrencyTargetFraction;
  const own = floatOf(input.annotations, keys.target);
  // Aiming above what the container takes would never be reached.
  if (own !== undefined) total = metric === 'concurrency' && limit !== 0 ? Math.min(own, limit) : own;
  const percentage = floatOf(input.annotations, keys.targetUtilizationPercentage);
  if (percentage !== undefined) utilization = percentage / 100;
  return { target: Math.max(targetMin, total * utilization), total };
}

/** The decider of a PodAutoscaler. Source: knative/serving pkg/reconciler/autoscaling/kpa/resources/decider.go. */
export function makeDeciderSpec(input: ScalingInput, config: AutoscalerConfig): DeciderSpec {
  const { annotations } = input;
  const { target, total } = metricTargetOf(input, config);
  const targetBurstCapacity = targetBurstCapacityOf(input, config);
  return {
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    scalingMetric: metricOf(input),
    targetValue: target,
    totalValue: total,
    targetBurstCapacity,
    activatorCapacity: config.activatorCapacity,
    panicThreshold: (floatOf(annotations, keys.panicThresholdPercentage) ?? config.panicThresholdPercentage) / 100,
    stableWindowMs: stableWindowOf(input, config),
    panicWindowMs: panicWindowOf(input, config),
    aggregation: aggregationOf(input) === 'weighted-exponential' ? 'weighted-exponential' : 'linear',
    scaleDownDelayMs: durationOf(annotations, keys.scaleDownDelay) ?? config.scaleDownDelayMs,
    initialScale: initialScaleOf(input, config),
    reachable: !isUnreachable(input),
    activationScale: int32Of(annotations, keys.activationScale) ?? 0,
    containerConcurrency: input.containerConcurrency ?? 0,
    // With the activator in the path always it reports everything, and nobody asks the instances.
    scraped: targetBurstCapacity !== -1,
  };
}
