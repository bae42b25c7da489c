import type { Duration } from '../duration.ts';
import { durationFrom, numberIn, optionFault } from './fault.ts';

/** Requests over time, as data: it can be stored, sent to a worker, and shown. Times are milliseconds from the start. */
export type Load =
  | { readonly kind: 'constant'; readonly requestsPerSecond: number }
  | {
      readonly kind: 'step';
      readonly atMs: number;
      readonly untilMs: number | undefined;
      readonly requestsPerSecond: number;
      readonly before: number;
    }
  | { readonly kind: 'ramp'; readonly from: number; readonly to: number; readonly startMs: number; readonly endMs: number }
  | { readonly kind: 'sine'; readonly mean: number; readonly amplitude: number; readonly periodMs: number }
  | {
      readonly kind: 'bursts';
      readonly requestsPerSecond: number;
      readonly between: number;
      readonly everyMs: number;
      readonly lengthMs: number;
      readonly firstMs: number;
    }
  | {
      readonly kind: 'days';
      readonly low: number;
      readonly high: number;
      readonly peakHour: number;
      readonly weekendFactor: number;
      readonly utcOffsetHours: number;
    }
  | { readonly kind: 'poisson'; readonly load: Load }
  | { readonly kind: 'sum'; readonly loads: readonly Load[] }
  | {
      readonly kind: 'trace';
      /** Each rate holds until the next point; the last one until `endMs`. */
      readonly timesMs: readonly number[];
      readonly requestsPerSecond: readonly number[];
      readonly endMs: number;
      /** Wall-clock time of the start, if the trace says. */
      readonly startMs: number | undefined;
    }
  | { readonly kind: 'arrivals'; readonly timesMs: readonly number[]; readonly startMs: number | undefined };

const rate = (value: number, path: string): number => numberIn(value, path, 0, 1e9);

/**
 * Makers of loads. Requests come evenly spaced unless the load is wrapped in `poisson`. Rates are requests per second.
 */
export const load = {
  constant: (requestsPerSecond: number): Load => ({
    kind: 'constant',
    requestsPerSecond: rate(requestsPerSecond, 'requestsPerSecond'),
  }),

  /** `before` (default 0) up to `at`, then `requestsPerSecond` until `until` (default: the end), then `before` again. */
  step(options: { at: Duration; requestsPerSecond: number; before?: number; until?: Duration }): Load {
    const atMs = durationFrom(options.at, 'at', 0);
    return {
      kind: 'step',
      atMs,
      untilMs: options.until === undefined ? undefined : durationFrom(options.until, 'until', atMs),
      requestsPerSecond: rate(options.requestsPerSecond, 'requestsPerSecond'),
      before: rate(options.before ?? 0, 'before'),
    };
  },

  /** From one rate to another between `start` (default 0) and `end`, then staying there. */
  ramp(options: { from: number; to: number; start?: Duration; end: Duration }): Load {
    const startMs = durationFrom(options.start ?? 0, 'start', 0);
    const endMs = durationFrom(options.end, 'end', startMs + 1);
    return { kind: 'ramp', from: rate(options.from, 'from'), to: rate(options.to, 'to'), startMs, endMs };
  },

  /** Swings around `mean`; below 0 counts as 0. */
  sine: (options: { mean: number; amplitude: number; period: Duration }): Load => ({
    kind: 'sine',
    mean: rate(options.mean, 'mean'),
    amplitude: rate(options.amplitude, 'amplitude'),
    periodMs: durationFrom(options.period, 'period', 1_000),
  }),

  /** `requestsPerSecond` for `length`, every so often, the first time at `first` (default `every`); `between` (default 0) otherwise. */
  bursts(options: { requestsPerSecond: number; every: Duration; length: Duration; between?: number; first?: Duration }): Load {
    const everyMs = durationFrom(options.every, 'every', 1);
    const lengthMs = durationFrom(options.length, 'length', 1);
    if (lengthMs > everyMs) throw optionFault('length', `must not exceed every (${everyMs} ms), got ${lengthMs} ms`);
    return {
      kind: 'bursts',
      requestsPerSecond: rate(options.requestsPerSecond, 'requestsPerSecond'),
      between: rate(options.between ?? 0, 'between'),
      everyMs,
      lengthMs,
      firstMs: durationFrom(options.first ?? everyMs, 'first', 0),
    };
  },

  /**
   * The day's wave between `low` at night and `high` at `peakHour` (default 14), times `weekendFactor` (default 1) on Saturday and
   * Sunday. Hours are those of the run's wall clock, UTC plus `utcOffsetHours` (default 0).
   */
  days(options: { low: number; high: number; peakHour?: number; weekendFactor?: number; utcOffsetHours?: number }): Load {
    return {
      kind: 'days',
      low: rate(options.low, 'low'),
      high: rate(options.high, 'high'),
      peakHour: numberIn(options.peakHour ?? 14, 'peakHour', 0, 24),
      weekendFactor: numberIn(options.weekendFactor ?? 1, 'weekendFactor', 0, 1e6),
      utcOffsetHours: numberIn(options.utcOffsetHours ?? 0, 'utcOffsetHours', -14, 14),
    };
  },

  /** Independent arrivals at the rate of another load, or at a constant rate: memoryless gaps instead of even ones. */
  poisson: (of: Load | number): Load => ({ kind: 'poisson', load: typeof of === 'number' ? load.constant(of) : of }),

  /** Several loads at once. */
  sum: (...loads: readonly Load[]): Load => ({ kind: 'sum', loads }),

  /** Rates that change at given times; each holds until the next, the last one until `end` (default: as long as the one before it). */
  trace(
    points: readonly { at: Duration; requestsPerSecond: number }[],
    options: { end?: Duration; startMs?: number } = {},
  ): Load {
    const timesMs = points.map(({ at }, index) => durationFrom(at, `points[${index}].at`, 0));
    const rates = points.map((point, index) => rate(point.requestsPerSecond, `points[${index}].requestsPerSecond`));
    const [last, previous] = [timesMs.at(-1), timesMs.at(-2)];
    if (last === undefined) throw optionFault('points', 'must not be empty');
    const backwards = timesMs.findIndex((timeMs, index) => index > 0 && timeMs <= (timesMs[index - 1] ?? -1));
    if (backwards > 0) throw optionFault(`points[${backwards}].at`, 'must be later than the one before');
    const endMs =
      options.end === undefined
        ? last + (previous === undefined ? 60_000 : last - previous)
        : durationFrom(options.end, 'end', last);
    return { kind: 'trace', timesMs, requestsPerSecond: rates, endMs, startMs: options.startMs };
  },

  /** Requests at exactly these times from the start. */
  arrivals: (times: readonly Duration[], options: { startMs?: number } = {}): Load => ({
    kind: 'arrivals',
    timesMs: times.map((time, index) => durationFrom(time, `times[${index}]`, 0)).sort((a, b) => a - b),
    startMs: options.startMs,
  }),
};

/** How long a recorded load lasts; `undefined` for loads without an end. */
export function lengthOf(of: Load): number | undefined {
  switch (of.kind) {
    case 'trace':
      return of.endMs;
    case 'arrivals':
      return (of.timesMs.at(-1) ?? 0) + 1_000;
    case 'poisson':
      return lengthOf(of.load);
    case 'sum': {
      const lengths = of.loads.map(lengthOf).filter((length) => length !== undefined);
      return lengths.length === 0 ? undefined : Math.max(...lengths);
    }
    default:
      return undefined;
  }
}

/** Wall-clock time at which a recorded load began, if it says. */
export function startOf(of: Load): number | undefined {
  switch (of.kind) {
    case 'trace':
    case 'arrivals':
      return of.startMs;
    case 'poisson':
      return startOf(of.load);
    case 'sum':
      return of.loads.map(startOf).find((startMs) => startMs !== undefined);
    default:
      return undefined;
  }
}
