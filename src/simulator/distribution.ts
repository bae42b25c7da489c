import type { Duration } from '../duration.ts';
import type { Random } from '../random.ts';
import { durationFrom, numberIn, optionFault } from './fault.ts';

/** How long something takes, as data: it can be stored, sent to a worker, and shown. All numbers are milliseconds. */
export type Distribution =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }
  | { readonly kind: 'log-normal'; readonly medianMs: number; readonly sigma: number }
  | { readonly kind: 'uniform'; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'empirical'; readonly sortedMs: readonly number[] };

/** A distribution, or a duration for "always so long". */
export type DistributionInput = Distribution | Duration;

const p95Quantile = 1.6448536269514722;

/** Makers of distributions. */
export const distribution = {
  constant: (duration: Duration): Distribution => ({ kind: 'constant', ms: durationFrom(duration, 'duration', 0) }),
  /** Memoryless, with this mean. */
  exponential: (mean: Duration): Distribution => ({ kind: 'exponential', meanMs: durationFrom(mean, 'mean', 0) }),
  /** Long-tailed, as service times usually are: half below `median`, 95 % below `p95`. */
  logNormal({ median, p95 }: { readonly median: Duration; readonly p95: Duration }): Distribution {
    const medianMs = durationFrom(median, 'median', Number.MIN_VALUE);
    const p95Ms = durationFrom(p95, 'p95', medianMs);
    return { kind: 'log-normal', medianMs, sigma: Math.log(p95Ms / medianMs) / p95Quantile };
  },
  uniform({ from, to }: { readonly from: Duration; readonly to: Duration }): Distribution {
    const fromMs = durationFrom(from, 'from', 0);
    return { kind: 'uniform', fromMs, toMs: durationFrom(to, 'to', fromMs) };
  },
  /** One of the measured values, each as likely as the others. */
  empirical(values: readonly Duration[]): Distribution {
    if (values.length === 0) throw optionFault('values', 'must not be empty');
    return {
      kind: 'empirical',
      sortedMs: values.map((value, index) => durationFrom(value, `values[${index}]`, 0)).sort((a, b) => a - b),
    };
  },
};

/** The distribution that an option means. */
export function toDistribution(input: DistributionInput, path: string): Distribution {
  if (typeof input !== 'object') return { kind: 'constant', ms: durationFrom(input, path, 0) };
  const least = input.kind === 'constant' ? input.ms : meanOf(input);
  numberIn(least, path, 0);
  return input;
}

/** A function that draws from the distribution. */
export function createSampler(from: Distribution, random: Random): () => number {
  switch (from.kind) {
    case 'constant': {
      const { ms } = from;
      return () => ms;
    }
    case 'exponential': {
      const { meanMs } = from;
      return () => -meanMs * Math.log(1 - random());
    }
    case 'uniform': {
      const { fromMs, toMs } = from;
      return () => fromMs + (toMs - fromMs) * random();
    }
    case 'log-normal': {
      const { medianMs, sigma } = from;
      return () => medianMs * Math.exp(sigma * standardNormal(random));
    }
    case 'empirical': {
      const { sortedMs } = from;
      return () => sortedMs[Math.floor(random() * sortedMs.length)] ?? 0;
    }
  }
}

/** The mean, ms. */
export function meanOf(of: Distribution): number {
  switch (of.kind) {
    case 'constant':
      return of.ms;
    case 'exponential':
      return of.meanMs;
    case 'uniform':
      return (of.fromMs + of.toMs) / 2;
    case 'log-normal':
      return of.medianMs * Math.exp((of.sigma * of.sigma) / 2);
    case 'empirical':
      return of.sortedMs.reduce((sum, value) => sum + value, 0) / of.sortedMs.length;
  }
}

/** In a few words, for tables and reports. */
export function describeDistribution(of: Distribution): string {
  const ms = (value: number): string => (value >= 1000 ? `${round(value / 1000)} s` : `${round(value)} ms`);
  switch (of.kind) {
    case 'constant':
      return ms(of.ms);
    case 'exponential':
      return `exponential, mean ${ms(of.meanMs)}`;
    case 'uniform':
      return `${ms(of.fromMs)} to ${ms(of.toMs)}`;
    case 'log-normal':
      return `log-normal, median ${ms(of.medianMs)}, p95 ${ms(of.medianMs * Math.exp(of.sigma * p95Quantile))}`;
    case 'empirical':
      return `${of.sortedMs.length} measured values, mean ${ms(meanOf(of))}`;
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

// Box and Muller's method; the second number of each pair is thrown away, which keeps the sampler without state.
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
