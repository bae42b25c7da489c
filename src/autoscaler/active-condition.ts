import type { AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import { isFalse, isTrue, isUnknown, livingConditionSet, type ConditionManager } from '../api/conditions.ts';
import { initialScaleOf, scaleBoundsOf, type ScalingInput } from './settings.ts';

/** Condition types of a PodAutoscaler besides Ready. */
export const activeType = 'Active';
export const initializedType = 'ScaleTargetInitialized';
export const serviceReadyType = 'SKSReady';

/** A PodAutoscaler is Ready when all three are True. */
export const podAutoscalerConditions = livingConditionSet(activeType, initializedType, serviceReadyType);

/** Ready pods from which on the target counts as active: the minimum or 1, before the first time the initial scale. */
export function activeThreshold(input: ScalingInput, config: AutoscalerConfig, initialized: boolean): number {
  const { min } = scaleBoundsOf(input, config);
  return Math.max(min, initialized ? 1 : initialScaleOf(input, config));
}

/** Marks Active and ScaleTargetInitialized from the counts. Source: knative/serving pkg/reconciler/autoscaling/kpa/kpa.go. */
export function markActive(
  conditions: ConditionManager,
  situation: {
    readonly input: ScalingInput;
    readonly config: AutoscalerConfig;
    /** -1 while unknown. */
    readonly want: number;
    readonly readyPods: number;
    readonly serviceName: string;
  },
): void {
  const { want, readyPods } = situation;
  const threshold = activeThreshold(situation.input, situation.config, isTrue(conditions.get(initializedType)));
  // Once initialized, for good: nothing ever marks it otherwise.
  if (readyPods >= threshold && situation.serviceName !== '') conditions.markTrue(initializedType);
  const before = conditions.get(activeType);
  if (want === 0 || threshold === 0) {
    if (isUnknown(before) && threshold > 0) {
      conditions.markFalse(activeType, 'TimedOut', 'The target could not be activated.');
    } else {
      conditions.markFalse(activeType, 'NoTraffic', 'The target is not receiving traffic.');
    }
  } else if (want <= 0 && isFalse(before)) {
    // Still nothing known about a target at zero. With enough pods its condition stays as it is.
    if (readyPods < threshold) conditions.markFalse(activeType, 'NoTraffic', 'The target is not receiving traffic.');
  } else if (readyPods < threshold) {
    conditions.markUnknown(activeType, 'Queued', 'Requests to the target are being buffered as resources are provisioned.');
  } else {
    conditions.markTrue(activeType);
  }
}

/** The scale to show: "unknown" does not replace one that was known. */
export function shownDesiredScale(want: number, before: number | undefined): number {
  return want === -1 && before !== undefined && before >= 0 ? before : want;
}
