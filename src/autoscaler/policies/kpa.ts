import type { Decision, DeciderSpec, Explanation, ExplanationStep, MetricRequest, Observation, Policy } from '../policy.ts';
import { MaxWindow } from '../windows/max-window.ts';

/** Width of the scale-down-delay window's slots: one per tick. */
const delaySlotMs = 2_000;
const int32Max = 2_147_483_647;

/** A decision of the KPA with everything that led to it. What follows from the rest is computed when asked for. */
export class KpaDecision implements Decision {
  spec: DeciderSpec;
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  cause: 'decided' | 'no-data' | 'pods-unknown' = 'no-data';
  readyPods = 0;
  stableValue = 0;
  panicValue = 0;
  inPanic = false;
  /** The number before the scale-down delay; in panic the most pods since its start. */
  undelayed = 0;

  constructor(spec: DeciderSpec) {
    this.spec = spec;
  }

  get targetValue(): number {
    return this.spec.targetValue;
  }
  /** `ceil(stable / target)`, before any bound. */
  get stablePods(): number {
    return Math.ceil(this.stableValue / this.spec.targetValue);
  }
  /** `ceil(panic / target)`, before any bound. */
  get panicPods(): number {
    return Math.ceil(this.panicValue / this.spec.targetValue);
  }
  /** Bounds by the rates: at zero ready pods they work as if there were one. */
  get scaleUpMax(): number {
    return Math.min(int32Max, Math.ceil(this.spec.maxScaleUpRate * Math.max(1, this.readyPods)));
  }
  get scaleDownMin(): number {
    return this.spec.reachable ? Math.floor(Math.max(1, this.readyPods) / this.spec.maxScaleDownRate) : 0;
  }

  explain(): Explanation {
    return explainKpa(this);
  }
}

/** Panic mode and the scale-down delay. */
export class KpaState {
  /** Start of the current panic, extended while the load is over the threshold; NaN outside of panic. */
  panicTimeMs: number;
  maxPanicPods: number;
  /** Exists only if the delay was positive when the decider was created; later changes of the delay have no effect. */
  readonly delayWindow: MaxWindow | undefined;
  readonly decision: KpaDecision;

  constructor(readyPods: number, spec: DeciderSpec, nowMs: number) {
    this.decision = new KpaDecision(spec);
    // A new decider has lost its history, so it holds what is there until it has data of its own.
    this.panicTimeMs = readyPods > 1 ? nowMs : NaN;
    this.maxPanicPods = readyPods;
    this.delayWindow = spec.scaleDownDelayMs > 0 ? new MaxWindow(spec.scaleDownDelayMs, delaySlotMs) : undefined;
  }
}

const requestsBySpec = new WeakMap<DeciderSpec, readonly MetricRequest[]>();

/** The windows of the KPA: stable and panic, of the metric in use only. Deciders that share a spec share the list. */
function kpaMetrics(spec: DeciderSpec): readonly MetricRequest[] {
  const known = requestsBySpec.get(spec);
  if (known !== undefined) return known;
  const metric = spec.scalingMetric === 'rps' ? 'rps' : 'concurrency';
  const requests: readonly MetricRequest[] = [
    { metric, windowMs: spec.stableWindowMs, aggregation: spec.aggregation },
    { metric, windowMs: spec.panicWindowMs, aggregation: spec.aggregation },
  ];
  requestsBySpec.set(spec, requests);
  return requests;
}

/**
 * One decision of the Knative pod autoscaler, equal to upstream's `Scale` for every input that upstream's types can hold. Writes
 * into `state` and returns the state's own decision object. Source: knative/serving pkg/autoscaler/scaling/autoscaler.go.
 */
function decideKpa(observation: Observation, state: KpaState, nowMs: number): KpaDecision {
  const decision = state.decision;
  const spec = observation.spec;
  if (decision.spec !== spec) decision.spec = spec;
  const readyPods = observation.readyPods;
  if (readyPods === undefined) return undecided(decision, 'pods-unknown');
  const stableValue = observation.average(0, nowMs);
  // A window without data averages to 0, so only then is it worth asking.
  if (stableValue === 0 && spec.scraped && observation.isEmpty(0, nowMs)) return undecided(decision, 'no-data');
  const panicValue = observation.average(1, nowMs);
  // At zero ready pods the rates and the threshold work as if there were one.
  const pods = readyPods > 1 ? readyPods : 1;
  const upMax = Math.ceil(spec.maxScaleUpRate * pods);
  const scaleUpMax = upMax > int32Max ? int32Max : upMax;
  // Divisions are what a decision costs: none is made whose result is known.
  const downRate = spec.maxScaleDownRate;
  const scaleDownMin = spec.reachable && !(pods < downRate) ? Math.floor(pods / downRate) : 0;
  const target = spec.targetValue;
  const stablePods = Math.ceil(stableValue / target);
  const panicPods = Math.ceil(panicValue / target);

  let desired = clamp(stablePods, scaleDownMin, scaleUpMax);
  let desiredInPanic = clamp(panicPods, scaleDownMin, scaleUpMax);
  const activationScale = spec.activationScale;
  if (activationScale > 1) {
    if (stablePods > 0 && desired < activationScale) desired = activationScale;
    if (panicPods > 0 && desiredInPanic < activationScale) desiredInPanic = activationScale;
  }

  if ((pods === 1 ? panicPods : panicPods / pods) >= spec.panicThreshold) {
    state.panicTimeMs = nowMs;
  } else if (state.panicTimeMs + spec.stableWindowMs < nowMs) {
    state.panicTimeMs = NaN;
    state.maxPanicPods = 0;
  }
  const inPanic = state.panicTimeMs === state.panicTimeMs;
  if (inPanic) {
    if (desiredInPanic > desired) desired = desiredInPanic;
    // Only increases count while in panic.
    if (desired > state.maxPanicPods) state.maxPanicPods = desired;
    desired = state.maxPanicPods;
  }
  decision.undelayed = desired;
  if (state.delayWindow !== undefined && spec.reachable) {
    state.delayWindow.record(nowMs, desired);
    desired = state.delayWindow.current();
  }

  const burst = spec.targetBurstCapacity;
  decision.excessBurstCapacity =
    burst > 0 ? withinInt32(Math.floor(readyPods * spec.totalValue - burst - panicValue)) : burst === 0 ? 0 : -1;
  decision.desired = desired;
  decision.valid = true;
  decision.cause = 'decided';
  decision.readyPods = readyPods;
  decision.stableValue = stableValue;
  decision.panicValue = panicValue;
  decision.inPanic = inPanic;
  return decision;
}

function undecided(decision: KpaDecision, cause: 'no-data' | 'pods-unknown'): KpaDecision {
  decision.desired = 0;
  decision.excessBurstCapacity = 0;
  decision.valid = false;
  decision.cause = cause;
  return decision;
}

// The upper bound wins; NaN stays NaN, and whoever takes the decision refuses it.
function clamp(pods: number, min: number, max: number): number {
  const raised = pods < min ? min : pods;
  return raised > max ? max : raised;
}

function withinInt32(value: number): number {
  return value > int32Max ? int32Max : value < -int32Max - 1 ? -int32Max - 1 : value;
}

function explainKpa(decision: KpaDecision): Explanation {
  if (!decision.valid) {
    const mode = decision.cause;
    const why = mode === 'no-data' ? 'the stable window has no data' : 'the ready pods could not be counted';
    return { policy: 'kpa', mode, desired: decision.desired, observed: {}, steps: [], sentence: `No decision: ${why}.` };
  }
  const { stableValue, panicValue, targetValue, readyPods, stablePods, panicPods, inPanic, excessBurstCapacity } = decision;
  const steps = stepsOf(decision);
  const counted = inPanic && panicPods > stablePods ? panicPods : stablePods;
  const changes = steps.map((step) => `${step.rule} made it ${step.after}`).join(', ');
  const mode = inPanic ? 'panic' : 'stable';
  const sentence =
    `In ${mode} mode ${readyPods} ready pods see ${round(stableValue)} over the stable and ${round(panicValue)} over the panic window ` +
    `at a target of ${round(targetValue)} per pod, which asks for ${counted}${changes === '' ? '' : `; ${changes}`}: ` +
    `${decision.desired} wanted, excess burst capacity ${excessBurstCapacity}.`;
  return {
    policy: 'kpa',
    mode,
    desired: decision.desired,
    observed: { stableValue, panicValue, targetValue, readyPods, stablePods, panicPods, excessBurstCapacity },
    steps,
    sentence,
  };
}

function stepsOf(decision: KpaDecision): ExplanationStep[] {
  const steps: ExplanationStep[] = [];
  const { activationScale } = decision.spec;
  let pods = decision.stablePods;
  const step = (rule: string, after: number): void => {
    if (after !== pods) steps.push({ rule, before: pods, after });
    pods = after;
  };
  const bounded = (value: number): number => clamp(value, decision.scaleDownMin, decision.scaleUpMax);
  const lifted = (value: number, from: number): number =>
    activationScale > 1 && from > 0 && value < activationScale ? activationScale : value;
  if (decision.inPanic && decision.panicPods > pods) pods = decision.panicPods;
  const counted = pods;
  step(bounded(pods) < pods ? 'max-scale-up-rate' : 'max-scale-down-rate', bounded(pods));
  step('activation-scale', lifted(pods, counted));
  step('panic', decision.undelayed);
  step('scale-down-delay', decision.desired);
  return steps;
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

/** A KPA policy: its decisions carry what led to them. */
export interface KpaPolicy extends Policy<KpaState> {
  decide(observation: Observation, state: KpaState, nowMs: number): KpaDecision;
}

/** The Knative pod autoscaler's policy, decision for decision equal to upstream. All settings come with the decider's spec. */
export const kpaPolicy: KpaPolicy = {
  name: 'kpa',
  metrics: kpaMetrics,
  initial: (observation, nowMs) => new KpaState(observation.readyPods ?? 0, observation.spec, nowMs),
  decide: decideKpa,
};
