// What the autoscaler's tests share: specs and an observation that is set by hand.
import { defaultAutoscalerConfig, type AutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import { makeDeciderSpec, type DeciderSpec, type Observation, type ScalingInput, type Stat } from '../../src/autoscaler/index.ts';

export const startMs = 1_700_000_000_000;

export function specFor(input: ScalingInput = {}, config: Partial<AutoscalerConfig> = {}): DeciderSpec {
  return makeDeciderSpec(input, { ...defaultAutoscalerConfig(), ...config });
}

/** An observation with fixed averages; NaN stands for a window without data. */
export function observe(spec: DeciderSpec, readyPods: number | undefined, averages: readonly number[]): Observation {
  return {
    spec,
    readyPods,
    average: (index) => averages[index] || 0,
    isEmpty: (index) => Number.isNaN(averages[index] ?? 0),
  };
}

export function load(concurrency: number, requestCount = concurrency): Stat {
  return {
    averageConcurrentRequests: concurrency,
    averageProxiedConcurrentRequests: 0,
    requestCount,
    proxiedRequestCount: 0,
  };
}
