import type { HorizontalPodAutoscaler, MetricSpec } from '../../api/autoscaling/horizontal-pod-autoscaler.ts';

export type HpaSpec = HorizontalPodAutoscaler['spec'];
export type HpaMetricSpec = MetricSpec;
export type HpaScalingRules = NonNullable<NonNullable<HpaSpec['behavior']>['scaleUp']>;

/** What the HPA looks at of a pod. Amounts are in thousandths of the resource's unit. */
export interface HpaPod {
  readonly name: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly deleting: boolean;
  /** The Ready condition; `undefined` when there is none. */
  readonly ready: { readonly status: 'True' | 'False' | 'Unknown'; readonly sinceMs: number } | undefined;
  readonly startMs: number | undefined;
  /** Containers and restartable init containers with their requests by resource. */
  readonly containers: readonly { readonly name: string; readonly requests: Readonly<Record<string, number>> }[];
  /** Pod-level requests by resource. */
  readonly podRequests?: Readonly<Record<string, number>>;
}

/** One pod's measured value in thousandths. */
export interface HpaSample {
  readonly value: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** What a metrics API answered for one entry of `spec.metrics`; amounts in thousandths. */
export type HpaMetricInput =
  | { readonly error: string }
  | { readonly pods: ReadonlyMap<string, HpaSample> }
  | { readonly value: number }
  | { readonly values: readonly number[] };

/** Settings of the controller (kube-controller-manager flags). */
export interface HpaSettings {
  /** Default 0.1: no change while usage is this close to the target. */
  readonly tolerance: number;
  /** Default 5 min: recommendations that a scale down without own rules looks back at. */
  readonly downscaleStabilizationMs: number;
  /** Default 5 min: CPU samples of pods this young count only when Ready for a whole sample window. */
  readonly cpuInitializationPeriodMs: number;
  /** Default 30 s: pods that were never Ready within this time from their start are not counted. */
  readonly initialReadinessDelayMs: number;
}

export const hpaSettingsDefault: HpaSettings = {
  tolerance: 0.1,
  downscaleStabilizationMs: 300_000,
  cpuInitializationPeriodMs: 300_000,
  initialReadinessDelayMs: 30_000,
};
