import type { AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import type { Condition } from '../api/resource.ts';
import type { ExplanationStep } from './policy.ts';
import {
  initialScaleOf,
  isUnreachable,
  podRetentionOf,
  progressDeadlineOf,
  scaleBoundsOf,
  stableWindowOf,
  targetBurstCapacityOf,
  type ScalingInput,
} from './settings.ts';

/** "Nothing is known yet": what a new decider wants. */
export const scaleUnknown = -1;

/** A Deployment reports its failure at the progress deadline; waiting this much longer lets the revision see it first. */
const activationTimeoutBufferMs = 30_000;
/** Long enough for the current pass to end before the next look, when nothing else would cause one. */
const deactivationPauseMs = 3_000;

/** What the scale depends on besides the decider's wish. */
export interface ScaleSituation {
  readonly input: ScalingInput;
  readonly config: AutoscalerConfig;
  /** `progress-deadline` of config-deployment. */
  readonly progressDeadlineMs: number;
  /** What the decider wants; -1 while it knows nothing. */
  readonly desiredScale: number;
  /** The Active condition before this pass; absent counts as Unknown. */
  readonly active: Pick<Condition, 'status' | 'lastTransitionTime'> | undefined;
  /** Whether the initial scale has been reached once. */
  readonly initialized: boolean;
  readonly mode: 'Proxy' | 'Serve';
  /** How long the activator has been in the path; 0 when it is not. */
  readonly proxyForMs: number;
  /** Asks whether requests reach the activator by now. Called only when the answer matters. */
  readonly probe: () => boolean;
  readonly nowMs: number;
}

/** The scale to want and what to do about it. */
export interface ScaleOutcome {
  /** -1 unknown, else the scale that status and mode are computed from. */
  readonly want: number;
  /** Whether `want` is to be applied to the Deployment. */
  readonly apply: boolean;
  /** Look again after this long. */
  readonly requeueAfterMs?: number;
  /** The probe was asked and has not succeeded: probing must go on in the background. */
  readonly awaitsProbe: boolean;
  /** What changed the number, in order. */
  readonly steps: readonly ExplanationStep[];
  /** Why a scale to zero was put off or done, '' when zero was not in question. */
  readonly zero: string;
}

/**
 * Bounds, initial scale and scale to zero: the one implementation for every policy. Pure; equals upstream's scaler.
 * Source: knative/serving pkg/reconciler/autoscaling/kpa/scaler.go.
 */
export function decideScale(situation: ScaleSituation): ScaleOutcome {
  const { desiredScale } = situation;
  const isActivating = statusOf(situation) === 'Unknown';
  if (desiredScale < 0 && !isActivating) {
    return { want: desiredScale, apply: false, awaitsProbe: false, steps: [], zero: '' };
  }
  const steps: ExplanationStep[] = [];
  const bounded = applyBounds(situation, steps);
  if (bounded !== 0) return { want: bounded, apply: true, awaitsProbe: false, steps, zero: '' };
  const outcome = scaleToZero(situation);
  if (outcome.want !== 0) steps.push({ rule: 'scale-to-zero', before: 0, after: outcome.want });
  return { ...outcome, steps };
}

function statusOf(situation: ScaleSituation): 'True' | 'False' | 'Unknown' {
  return situation.active?.status ?? 'Unknown';
}

function applyBounds(situation: ScaleSituation, steps: ExplanationStep[]): number {
  const { input, config, desiredScale } = situation;
  const { min, max } = scaleBoundsOf(input, config);
  const initialScale = initialScaleOf(input, config);
  const holdsInitial = initialScale > 1 && initialScale > min && !situation.initialized && !isUnreachable(input);
  const least = holdsInitial ? initialScale : min;
  // Below the minimum it counts even where it exceeds the maximum; the initial scale likewise.
  if (desiredScale < least) {
    steps.push({ rule: holdsInitial ? 'initial-scale' : 'min-scale', before: desiredScale, after: least });
    return least;
  }
  if (max !== 0 && desiredScale > max) {
    steps.push({ rule: 'max-scale', before: desiredScale, after: max });
    return max;
  }
  return desiredScale;
}

type ZeroOutcome = Omit<ScaleOutcome, 'steps'>;

const zeroNow = (zero: string): ZeroOutcome => ({ want: 0, apply: true, awaitsProbe: false, zero });

function scaleToZero(situation: ScaleSituation): ZeroOutcome {
  if (!situation.config.enableScaleToZero) {
    return { want: 1, apply: true, awaitsProbe: false, zero: 'scale to zero is disabled' };
  }
  const sinceMs = situation.nowMs - transitionMs(situation.active);
  switch (statusOf(situation)) {
    case 'Unknown':
      return whileActivating(situation, sinceMs);
    case 'True':
      return whileActive(situation, sinceMs);
    case 'False':
      return whileInactive(situation, sinceMs);
  }
}

function transitionMs(active: ScaleSituation['active']): number {
  const text = active?.lastTransitionTime;
  return text === undefined ? 0 : Date.parse(text);
}

function whileActivating(situation: ScaleSituation, sinceMs: number): ZeroOutcome {
  const timeoutMs = progressDeadlineOf(situation.input, situation.progressDeadlineMs) + activationTimeoutBufferMs;
  if (situation.active !== undefined && sinceMs > timeoutMs) return zeroNow('the target did not become ready in time');
  return {
    want: scaleUnknown,
    apply: false,
    requeueAfterMs: timeoutMs,
    awaitsProbe: false,
    zero: 'the target is still becoming ready',
  };
}

function whileActive(situation: ScaleSituation, sinceMs: number): ZeroOutcome {
  const windowMs = stableWindowOf(situation.input, situation.config);
  if (sinceMs < windowMs) {
    const zero = 'not active for a whole stable window yet';
    return { want: 1, apply: true, requeueAfterMs: windowMs - sinceMs, awaitsProbe: false, zero };
  }
  // Wanting 0 without applying it marks the target inactive, which puts the activator into the path first.
  const outcome: ZeroOutcome = { want: 0, apply: false, awaitsProbe: false, zero: 'becoming inactive first' };
  return situation.mode === 'Proxy' ? { ...outcome, requeueAfterMs: deactivationPauseMs } : outcome;
}

function whileInactive(situation: ScaleSituation, sinceMs: number): ZeroOutcome {
  const { input, config } = situation;
  const activatorIsInPath = targetBurstCapacityOf(input, config) === -1 || situation.probe();
  if (!activatorIsInPath) {
    return { want: 0, apply: false, awaitsProbe: true, zero: 'requests do not reach the activator yet' };
  }
  const graceMs = config.scaleToZeroGracePeriodMs;
  const retentionMs = podRetentionOf(input, config);
  if (sinceMs >= Math.max(graceMs, retentionMs)) return zeroNow('inactive for the grace and retention periods');
  const wait = (requeueAfterMs: number, zero: string): ZeroOutcome => ({
    want: 0,
    apply: false,
    requeueAfterMs,
    awaitsProbe: false,
    zero,
  });
  if (retentionMs > 0 && sinceMs < retentionMs) return wait(retentionMs - sinceMs, 'the last pod is retained');
  const leftMs = graceMs - situation.proxyForMs;
  return leftMs <= 0 ? zeroNow('the activator was in the path for the grace period') : wait(leftMs, 'within the grace period');
}
