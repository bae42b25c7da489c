import { durationMs, type Duration } from '../../duration.ts';
import { KnativeError } from '../../errors.ts';
import { explain } from '../explain.ts';
import type { Decision, Explanation, Policy } from '../policy.ts';
import { IdleHistogram, type IdleForecast, type IdleHistogramOptions } from './idle-histogram.ts';
import { excessBurstCapacityOf, mergeRequests, ObservationView } from './observation-view.ts';

/** Activity is looked for in the time since the last tick. */
const activityWindowMs = 3_000;

export interface PredictiveOptions {
  /** Width of a histogram bin. Default 1 minute. */
  readonly bin?: Duration;
  /** Range of the histogram, and the keep-alive while there is nothing to predict from. Default 4 hours. */
  readonly range?: Duration;
  /** Percentile of idle times at which an instance is warm again. Default 5. */
  readonly headPercentile?: number;
  /** Percentile of idle times up to which it stays. Default 99. */
  readonly tailPercentile?: number;
  /** Idle times seen before the histogram counts. Default 10. */
  readonly samplesMin?: number;
}

class PredictiveDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  mode: 'busy' | 'waiting' | 'warm' | 'cold' | 'pods-unknown' = 'cold';
  idleMs = 0;
  samples = 0;
  forecast: IdleForecast | undefined;
  base: Decision | undefined;
  nextCheckMs: number = Infinity;

  explain(): Explanation {
    const base = this.base === undefined ? undefined : explain(this.base);
    const seconds = (ms: number): number => Math.round(ms / 1_000);
    const { warmFromMs = 0, warmUntilMs = 0, basis = 'standard' } = this.forecast ?? {};
    const before = this.base?.valid === true ? this.base.desired : 0;
    return {
      policy: 'predictive',
      mode: this.mode,
      desired: this.desired,
      observed: { idleMs: this.idleMs, warmFromMs, warmUntilMs, samples: this.samples },
      steps: this.desired === before ? [] : [{ rule: `predicted by ${basis}`, before, after: this.desired }],
      ...(base === undefined ? {} : { parts: [base] }),
      sentence:
        this.mode === 'busy'
          ? `Requests are coming: ${base?.sentence ?? ''}`.trim()
          : `Idle for ${seconds(this.idleMs)} s; the next request is expected between ${seconds(warmFromMs)} and ${seconds(warmUntilMs)} s ` +
            `(${basis}, ${this.samples} idle times): ${this.desired} wanted.`,
    };
  }
}

interface PredictiveState<State> {
  readonly inner: State;
  readonly view: ObservationView;
  readonly activityIndex: number;
  readonly histogram: IdleHistogram;
  readonly decision: PredictiveDecision;
  /** Time of the last activity, NaN before any. */
  lastActiveMs: number;
}

/**
 * Hybrid histogram keep-alive (Shahrad et al. 2020) on top of another policy: `policy` decides while there is load; in idle times
 * one instance is kept, let go, and warmed up again by how long idle times usually last.
 */
export function predictive<State>(policy: Policy<State>, options: PredictiveOptions = {}): Policy<PredictiveState<State>> {
  const histogramOptions = checkedOptions(options);
  const activity = { metric: 'concurrency', windowMs: activityWindowMs, aggregation: 'maximum' } as const;
  return {
    name: 'predictive',
    metrics: (spec) => mergeRequests([policy.metrics(spec), [activity]]).requests,
    initial(observation, nowMs) {
      const { indices } = mergeRequests([policy.metrics(observation.spec), [activity]]);
      const view = new ObservationView(observation, { indices: indices[0] ?? [] });
      return {
        inner: policy.initial(view, nowMs),
        view,
        activityIndex: indices[1]?.[0] ?? 0,
        histogram: new IdleHistogram(histogramOptions),
        decision: new PredictiveDecision(),
        lastActiveMs: NaN,
      };
    },
    decide(observation, state, nowMs) {
      const { decision, histogram, view } = state;
      view.base = observation;
      const base = policy.decide(view, state.inner, nowMs);
      decision.base = base;
      decision.samples = histogram.total;
      decision.nextCheckMs = Infinity;
      const readyPods = observation.readyPods;
      if (readyPods === undefined) {
        decision.valid = false;
        decision.mode = 'pods-unknown';
        return decision;
      }
      const load = observation.average(state.activityIndex, nowMs);
      decision.valid = base.valid || !Number.isNaN(state.lastActiveMs);
      decision.excessBurstCapacity = base.valid
        ? base.excessBurstCapacity
        : excessBurstCapacityOf(observation.spec, readyPods, load);
      const wished = base.valid ? base.desired : 0;
      if (load > 0) {
        const idleMs = nowMs - state.lastActiveMs;
        // Shorter gaps than the window in which activity is looked for are part of the same burst.
        if (idleMs > activityWindowMs) histogram.add(idleMs);
        state.lastActiveMs = nowMs;
        decision.valid = true;
        decision.mode = 'busy';
        decision.idleMs = 0;
        decision.desired = Number.isNaN(wished) ? wished : Math.max(1, wished);
        return decision;
      }
      decideIdle(state, wished, nowMs);
      return decision;
    },
  };
}

function decideIdle<State>({ decision, histogram, lastActiveMs }: PredictiveState<State>, wished: number, nowMs: number): void {
  if (Number.isNaN(lastActiveMs)) {
    decision.mode = 'cold';
    decision.idleMs = 0;
    decision.desired = wished;
    return;
  }
  const idleMs = nowMs - lastActiveMs;
  const forecast = histogram.forecast();
  decision.idleMs = idleMs;
  decision.forecast = forecast;
  const isWarm = idleMs >= forecast.warmFromMs && idleMs < forecast.warmUntilMs;
  decision.mode = isWarm ? 'warm' : idleMs < forecast.warmFromMs ? 'waiting' : 'cold';
  // A base that still winds down keeps what it wants; the forecast only ever adds the one instance.
  decision.desired = isWarm && wished < 1 ? 1 : wished;
  if (decision.mode === 'waiting') decision.nextCheckMs = lastActiveMs + forecast.warmFromMs;
}

function checkedOptions(options: PredictiveOptions): IdleHistogramOptions {
  const binMs = durationMs(options.bin ?? 60_000, 'bin');
  const rangeMs = durationMs(options.range ?? 14_400_000, 'range');
  const { headPercentile = 5, tailPercentile = 99, samplesMin = 10 } = options;
  const fail = (path: string, problem: string): KnativeError =>
    new KnativeError('AUTOSCALER_INVALID_OPTION', `predictive: ${path} ${problem}`, { path });
  if (!(binMs >= 1_000)) throw fail('bin', 'must be at least a second');
  if (!(rangeMs >= binMs && rangeMs / binMs <= 100_000)) throw fail('range', 'must cover 1 to 100,000 bins');
  if (!(headPercentile >= 0 && headPercentile <= tailPercentile && tailPercentile <= 100)) {
    throw fail('headPercentile', 'and tailPercentile must be within 0 to 100, in this order');
  }
  if (!(samplesMin >= 1)) throw fail('samplesMin', 'must be at least 1');
  const bins = Math.ceil(rangeMs / binMs);
  return { binMs, bins, headPercentile, tailPercentile, margin: 0.1, variationMin: 2, outOfRangeShareMax: 0.5, samplesMin };
}
