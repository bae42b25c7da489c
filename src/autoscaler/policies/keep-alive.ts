import { durationMs, type Duration } from '../../duration.ts';
import { KnativeError } from '../../errors.ts';
import type { Decision, Explanation, Policy } from '../policy.ts';
import { excessBurstCapacityOf } from './observation-view.ts';

export interface KeepAliveOptions {
  /** How long an instance stays after its last request. Default 10 minutes, at most a day. */
  readonly keepAlive?: Duration;
  /** Requests at a time per instance. Default 1, as function platforms do. */
  readonly requestsPerInstance?: number;
}

class KeepAliveDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = true;
  peak = 0;
  current = 0;
  readonly keepAliveMs: number;
  readonly requestsPerInstance: number;

  constructor(keepAliveMs: number, requestsPerInstance: number) {
    this.keepAliveMs = keepAliveMs;
    this.requestsPerInstance = requestsPerInstance;
  }

  explain(): Explanation {
    const { peak, current, desired, valid } = this;
    return {
      policy: 'keep-alive',
      mode: valid ? (current > 0 ? 'busy' : 'idle') : 'pods-unknown',
      desired,
      observed: { peakConcurrency: peak, currentConcurrency: current },
      steps: [],
      sentence: valid
        ? `At most ${peak} requests at a time in the last ${this.keepAliveMs / 1_000} s, ${this.requestsPerInstance} per instance: ${desired} wanted.`
        : 'No decision: the ready pods could not be counted.',
    };
  }
}

/**
 * A fixed keep-alive, as function platforms do: as many instances as the busiest second of the keep-alive period needed, so each
 * stays for that long after its last request. Knows no target and no panic.
 */
export function requestPerInstance(options: KeepAliveOptions = {}): Policy<KeepAliveDecision> {
  const keepAliveMs = durationMs(options.keepAlive ?? 600_000, 'keepAlive');
  const perInstance = options.requestsPerInstance ?? 1;
  if (!(perInstance > 0 && perInstance <= Number.MAX_SAFE_INTEGER)) {
    throw new KnativeError(
      'AUTOSCALER_INVALID_OPTION',
      `requestPerInstance: requestsPerInstance must be positive, got ${perInstance}`,
      {
        path: 'requestsPerInstance',
      },
    );
  }
  return {
    name: 'keep-alive',
    metrics: () => [
      { metric: 'concurrency', windowMs: keepAliveMs, aggregation: 'maximum' },
      { metric: 'concurrency', windowMs: 2_000, aggregation: 'maximum' },
    ],
    initial: () => new KeepAliveDecision(keepAliveMs, perInstance),
    decide(observation, decision, nowMs) {
      const readyPods = observation.readyPods;
      decision.valid = readyPods !== undefined;
      if (readyPods === undefined) return decision;
      decision.peak = observation.average(0, nowMs);
      decision.current = observation.average(1, nowMs);
      decision.desired = Math.max(0, Math.ceil(decision.peak / perInstance));
      decision.excessBurstCapacity = excessBurstCapacityOf(observation.spec, readyPods, decision.current);
      return decision;
    },
  };
}
