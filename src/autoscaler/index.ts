export { defaultAutoscalerConfig, parseAutoscalerConfig, type AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
export { activatorCount, activatorsMin, serviceMode } from './activators.ts';
export {
  activeThreshold,
  activeType,
  initializedType,
  markActive,
  podAutoscalerConditions,
  serviceReadyType,
  shownDesiredScale,
} from './active-condition.ts';
export { makeMetric, makeServerlessService } from './children.ts';
export { Collection, MetricCollector } from './collector.ts';
export { explain, explainScale } from './explain.ts';
export {
  activatorProbeFact,
  activatorProbePeriodMs,
  activatorProbeProvider,
  activatorProbeTimeoutMs,
  deciderFact,
  deciderProvider,
  type ActivatorProbeParams,
  type DeciderFactParams,
  type DeciderStatus,
} from './facts.ts';
export { emptyHpaStatus, runHpaPass, type HpaPass, type HpaPassInput, type HpaStatus } from './hpa/hpa-controller.ts';
export {
  hpaSettingsDefault,
  type HpaMetricInput,
  type HpaPod,
  type HpaSample,
  type HpaSettings,
  type HpaSpec,
} from './hpa/hpa-input.ts';
export { createHpaMemory, type HpaMemory } from './hpa/stabilization.ts';
export {
  createMultiScaler,
  initialExcessBurstCapacity,
  MultiScaler,
  tickIntervalMs,
  type DeciderView,
  type MultiScalerOptions,
} from './multi-scaler.ts';
export { countPods, isPodReady, revisionLabel, type PodCounts } from './pod-counts.ts';
export type { DeciderSpec, Decision, Explanation, ExplanationStep, MetricRequest, Observation, Policy, Stat } from './policy.ts';
export { coolDown, type CoolDownOptions } from './policies/cool-down.ts';
export { hpa, type HpaOptions } from './policies/hpa.ts';
export { requestPerInstance, type KeepAliveOptions } from './policies/keep-alive.ts';
export { kpa, type KpaOptions } from './policies/kpa-options.ts';
export { maxOf } from './policies/max-of.ts';
export { excessBurstCapacityOf, ObservationView } from './policies/observation-view.ts';
export { predictive, type PredictiveOptions } from './policies/predictive.ts';
export { scheduledFloor, type ScheduledFloor } from './policies/scheduled-floor.ts';
export { KpaDecision, kpaPolicy, KpaState, type KpaPolicy } from './policies/kpa.ts';
export {
  createPodAutoscalerReconciler,
  podAutoscalerReconciler,
  proxyForMs,
  reconcilePodAutoscaler,
  type PodAutoscalerPass,
  type PodAutoscalerReconcilerOptions,
} from './reconciler.ts';
export { extrapolateStat, pickSample, sampleSize } from './sample.ts';
export { decideScale, scaleUnknown, type ScaleOutcome, type ScaleSituation } from './scale.ts';
export {
  autoscalerClassOf,
  initialScaleOf,
  makeDeciderSpec,
  metricOf,
  metricTargetOf,
  panicWindowOf,
  podRetentionOf,
  scaleBoundsOf,
  stableWindowOf,
  targetBurstCapacityOf,
  type ScalingInput,
} from './settings.ts';
export { createWindow } from './windows/create-window.ts';
export { LinearWindow } from './windows/linear-window.ts';
export { MaxWindow } from './windows/max-window.ts';
export { PeakWindow } from './windows/peak-window.ts';
export { WeightedWindow } from './windows/weighted-window.ts';
export type { Aggregation, Window } from './windows/window.ts';
