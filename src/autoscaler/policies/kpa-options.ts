import { durationMs, type Duration } from '../../duration.ts';
import { KnativeError } from '../../errors.ts';
import type { DeciderSpec, Policy } from '../policy.ts';
import { kpaPolicy, type KpaState } from './kpa.ts';
import { ObservationView } from './observation-view.ts';

/** Settings that replace those of the decider's spec; names and meanings are those of the annotations. */
export interface KpaOptions {
  readonly metric?: 'concurrency' | 'rps';
  /** Value per pod before utilization; capped by the container's concurrency limit. */
  readonly target?: number;
  /** 1 to 100. */
  readonly targetUtilizationPercentage?: number;
  readonly targetBurstCapacity?: number;
  readonly window?: Duration;
  /** 1 to 100, percent of the stable window. */
  readonly panicWindowPercentage?: number;
  /** 110 to 1000. */
  readonly panicThresholdPercentage?: number;
  readonly scaleDownDelay?: Duration;
  readonly activationScale?: number;
  readonly maxScaleUpRate?: number;
  readonly maxScaleDownRate?: number;
  readonly aggregation?: 'linear' | 'weighted-exponential';
}

/** A KPA with settings of its own. */
export interface KpaWithOptionsState {
  readonly inner: KpaState;
  readonly view: ObservationView;
}

/**
 * The Knative pod autoscaler. Without options every setting comes from the decider's spec, that is from annotations and
 * `config-autoscaler`. Options are checked here: `AUTOSCALER_INVALID_OPTION`.
 */
export function kpa(options: KpaOptions = {}): Policy<KpaWithOptionsState> {
  const override = createOverride(options);
  const specs = new WeakMap<DeciderSpec, DeciderSpec>();
  const specOf = (spec: DeciderSpec): DeciderSpec => {
    const known = specs.get(spec);
    if (known !== undefined) return known;
    const overridden = override(spec);
    specs.set(spec, overridden);
    return overridden;
  };
  return {
    name: 'kpa',
    metrics: (spec) => kpaPolicy.metrics(specOf(spec)),
    initial(observation, nowMs) {
      const view = new ObservationView(observation, { specOf });
      return { inner: kpaPolicy.initial(view, nowMs), view };
    },
    decide(observation, state, nowMs) {
      state.view.base = observation;
      return kpaPolicy.decide(state.view, state.inner, nowMs);
    },
  };
}

const ranges = {
  target: [0.01, Number.MAX_SAFE_INTEGER],
  targetUtilizationPercentage: [1, 100],
  targetBurstCapacity: [-1, Number.MAX_SAFE_INTEGER],
  panicWindowPercentage: [1, 100],
  panicThresholdPercentage: [110, 1_000],
  activationScale: [2, 2_147_483_647],
  maxScaleUpRate: [1, Number.MAX_SAFE_INTEGER],
  maxScaleDownRate: [1, Number.MAX_SAFE_INTEGER],
} as const;

function checked(options: KpaOptions, name: keyof typeof ranges): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const [min, max] = ranges[name];
  if (value >= min && value <= max) return value;
  throw new KnativeError('AUTOSCALER_INVALID_OPTION', `kpa: ${name} must be in [${min}, ${max}], got ${value}`, {
    path: name,
    hint: 'the bounds are those of the annotation of the same name',
  });
}

function checkedDuration(value: Duration | undefined, name: string, minMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = durationMs(value, name);
  if (ms >= minMs && ms <= 3_600_000) return ms;
  throw new KnativeError('AUTOSCALER_INVALID_OPTION', `kpa: ${name} must be between ${minMs / 1_000}s and 1h, got ${ms} ms`, {
    path: name,
  });
}

function createOverride(options: KpaOptions): (spec: DeciderSpec) => DeciderSpec {
  const target = checked(options, 'target');
  const utilizationPercentage = checked(options, 'targetUtilizationPercentage');
  const panicWindowPercentage = checked(options, 'panicWindowPercentage');
  const panicThresholdPercentage = checked(options, 'panicThresholdPercentage');
  const targetBurstCapacity = checked(options, 'targetBurstCapacity');
  const activationScale = checked(options, 'activationScale');
  const maxScaleUpRate = checked(options, 'maxScaleUpRate');
  const maxScaleDownRate = checked(options, 'maxScaleDownRate');
  const windowMs = checkedDuration(options.window, 'window', 6_000);
  const scaleDownDelayMs = checkedDuration(options.scaleDownDelay, 'scaleDownDelay', 0);
  return (spec) => {
    const metric = options.metric ?? spec.scalingMetric;
    const utilization = utilizationPercentage === undefined ? spec.targetValue / spec.totalValue : utilizationPercentage / 100;
    const limit = metric === 'rps' || spec.containerConcurrency === 0 ? Infinity : spec.containerConcurrency;
    const totalValue = target === undefined ? spec.totalValue : Math.min(target, limit);
    const stableWindowMs = windowMs ?? spec.stableWindowMs;
    const panicShare = panicWindowPercentage ?? (spec.panicWindowMs / spec.stableWindowMs) * 100;
    return {
      ...spec,
      scalingMetric: metric,
      totalValue,
      targetValue: Math.max(0.01, totalValue * utilization),
      targetBurstCapacity: targetBurstCapacity ?? spec.targetBurstCapacity,
      stableWindowMs,
      panicWindowMs: Math.max(1_000, Math.round((stableWindowMs * panicShare) / 100_000) * 1_000),
      panicThreshold: panicThresholdPercentage === undefined ? spec.panicThreshold : panicThresholdPercentage / 100,
      scaleDownDelayMs: scaleDownDelayMs ?? spec.scaleDownDelayMs,
      activationScale: activationScale ?? spec.activationScale,
      maxScaleUpRate: maxScaleUpRate ?? spec.maxScaleUpRate,
      maxScaleDownRate: maxScaleDownRate ?? spec.maxScaleDownRate,
      aggregation: options.aggregation ?? spec.aggregation,
    };
  };
}
