import { defaultHpaSpec, validateHpaSpec } from '../../api/autoscaling/hpa-admission.ts';
import { durationMs, type Duration } from '../../duration.ts';
import { KnativeError } from '../../errors.ts';
import { hpaSettingsDefault, type HpaSpec } from '../hpa/hpa-input.ts';
import { replicasForTotalPerPod } from '../hpa/replica-calculator.ts';
import {
  createHpaMemory,
  normalize,
  rememberFirst,
  rememberScale,
  type HpaMemory,
  type Normalized,
} from '../hpa/stabilization.ts';
import type { Decision, Explanation, ExplanationStep, Policy } from '../policy.ts';
import { excessBurstCapacityOf } from './observation-view.ts';

export interface HpaOptions {
  /** Default concurrency. */
  readonly metric?: 'concurrency' | 'rps';
  /** Value of the metric per instance. Default: the decider's target. */
  readonly target?: number;
  /** Time over which the metric is averaged. Default 60 s. */
  readonly window?: Duration;
  /** Default 1: this algorithm does not scale from zero. */
  readonly minReplicas?: number;
  /** Default 2^31-1; max-scale bounds every policy besides. */
  readonly maxReplicas?: number;
  /** Scaling rules of autoscaling/v2; without them upstream's defaults for HPAs without rules. */
  readonly behavior?: NonNullable<HpaSpec['behavior']>;
  /** Default 0.1. */
  readonly tolerance?: number;
  /** Default 5 minutes. */
  readonly downscaleStabilization?: Duration;
  /** Time between decisions. Default 15 s. */
  readonly syncPeriod?: Duration;
}

class HpaDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  total = 0;
  targetValue = 0;
  current = 0;
  proposed = 0;
  outcome: Normalized | undefined;

  explain(): Explanation {
    if (!this.valid) {
      return {
        policy: 'hpa',
        mode: 'no-data',
        desired: 0,
        observed: {},
        steps: [],
        sentence: 'No decision: nothing was measured yet.',
      };
    }
    const { total, targetValue, current, proposed, desired, outcome } = this;
    const steps: ExplanationStep[] = [];
    const [able = ''] = outcome?.able ?? [];
    const [limit = ''] = outcome?.limit ?? [];
    const rule = outcome?.limited === true ? limit : able;
    if (desired !== proposed) steps.push({ rule, before: proposed, after: desired });
    return {
      policy: 'hpa',
      mode: able,
      desired,
      observed: { total, targetValue, current },
      steps,
      sentence: `${total} in all at a target of ${targetValue} per instance asks for ${proposed} of now ${current}${desired === proposed ? '' : `; ${rule} made it ${desired}`}: ${desired} wanted.`,
    };
  }
}

interface HpaPolicyState {
  readonly memory: HpaMemory;
  readonly decision: HpaDecision;
  current: number;
  nextSyncMs: number;
}

/**
 * The algorithm of Kubernetes' HorizontalPodAutoscaler on the request metrics of a revision, as if they were an external metric with
 * a target per pod: tolerance, stabilization windows and scaling policies included. For whole HPA objects with pod metrics see
 * `runHpaPass`.
 */
export function hpa(options: HpaOptions = {}): Policy<HpaPolicyState> {
  const windowMs = durationMs(options.window ?? 60_000, 'window');
  const syncPeriodMs = durationMs(options.syncPeriod ?? 15_000, 'syncPeriod');
  const tolerance = options.tolerance ?? hpaSettingsDefault.tolerance;
  const stabilizationMs = durationMs(
    options.downscaleStabilization ?? hpaSettingsDefault.downscaleStabilizationMs,
    'downscaleStabilization',
  );
  const settings = { ...hpaSettingsDefault, tolerance, downscaleStabilizationMs: stabilizationMs };
  const spec = checkedSpec(options);
  const metric = options.metric ?? 'concurrency';
  return {
    name: 'hpa',
    metrics: () => [{ metric, windowMs, aggregation: 'linear' }],
    initial: ({ readyPods }, nowMs) => ({
      memory: createHpaMemory(),
      decision: new HpaDecision(),
      current: Math.max(spec.minReplicas ?? 1, readyPods ?? 0),
      nextSyncMs: nowMs,
    }),
    decide(observation, state, nowMs) {
      const { decision, memory } = state;
      const readyPods = observation.readyPods;
      if (readyPods === undefined || (observation.spec.scraped && observation.isEmpty(0, nowMs))) {
        decision.valid = false;
        return decision;
      }
      const total = observation.average(0, nowMs);
      decision.excessBurstCapacity = excessBurstCapacityOf(observation.spec, readyPods, total);
      if (decision.valid && nowMs < state.nextSyncMs) return decision;
      state.nextSyncMs = nowMs + syncPeriodMs;
      const { current } = state;
      const target = options.target ?? observation.spec.targetValue;
      const { replicas: proposed } = replicasForTotalPerPod(total, target, current, { up: tolerance, down: tolerance });
      rememberFirst(memory, current, nowMs);
      const minReplicas = spec.minReplicas ?? 1;
      const outcome = normalize(memory, { spec, settings, minReplicas, current, desired: Math.max(0, proposed), nowMs });
      if (outcome.replicas !== current) rememberScale(memory, spec, current, outcome.replicas, nowMs);
      state.current = outcome.replicas;
      Object.assign(decision, { valid: true, desired: outcome.replicas, total, targetValue: target, current, proposed, outcome });
      return decision;
    },
  };
}

function checkedSpec(options: HpaOptions): HpaSpec {
  const spec = defaultHpaSpec({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'target' },
    minReplicas: options.minReplicas ?? 1,
    maxReplicas: options.maxReplicas ?? 2_147_483_647,
    ...(options.behavior === undefined ? {} : { behavior: options.behavior }),
  });
  const [error] = validateHpaSpec(spec);
  if (error !== undefined) {
    throw new KnativeError('AUTOSCALER_INVALID_OPTION', `hpa: ${error}`, { path: error.slice(0, error.indexOf(':')) });
  }
  return spec;
}
