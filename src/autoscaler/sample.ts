import type { Random } from '../random.ts';
import type { Stat } from './policy.ts';

/** Critical value for 95 % confidence, a variance of 100 and a margin of error of 5: the sample of an endless population. */
const unboundedSample = (1.96 * 1.96 * 100) / 25;

/**
 * How many of `population` pods to ask so that their average is good enough: all of up to 3, never more than 16.
 * Source: knative/serving pkg/autoscaler/metrics/sample_size.go.
 */
export function sampleSize(population: number): number {
  if (population <= 3) return Math.max(0, population);
  return Math.ceil((population * unboundedSample) / (population + unboundedSample - 1));
}

/** A random sample of the right size, in random order. */
export function pickSample<T>(population: readonly T[], random: Random): T[] {
  const left = [...population];
  const size = sampleSize(left.length);
  for (let index = 0; index < size; index++) {
    const other = index + Math.floor(random() * (left.length - index));
    const [a, b] = [left[index], left[other]];
    if (a !== undefined && b !== undefined) [left[index], left[other]] = [b, a];
  }
  return left.slice(0, size);
}

/** One stat for all pods of a revision from those of a sample: each asked pod stands for the same number of others. */
export function extrapolateStat(sample: readonly Stat[], population: number): Stat {
  const sum = (of: (stat: Stat) => number): number => sample.reduce((total, stat) => total + of(stat), 0);
  const scaled = (of: (stat: Stat) => number): number => (sample.length === 0 ? 0 : (sum(of) / sample.length) * population);
  return {
    averageConcurrentRequests: scaled((stat) => stat.averageConcurrentRequests),
    averageProxiedConcurrentRequests: scaled((stat) => stat.averageProxiedConcurrentRequests),
    requestCount: scaled((stat) => stat.requestCount),
    proxiedRequestCount: scaled((stat) => stat.proxiedRequestCount),
  };
}
