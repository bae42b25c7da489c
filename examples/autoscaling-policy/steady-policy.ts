// A policy of one's own: one instance more or less at a time, and one to spare.
import type { Decision, Explanation, Policy } from 'knative-embed/autoscaler';

export interface SteadyOptions {
  /** Requests in flight that one instance should have. */
  readonly perInstance: number;
  /** Least time between two steps down. */
  readonly stepDownMs: number;
}

interface SteadyState {
  wanted: number;
  lastStepMs: number;
}

class SteadyDecision implements Decision {
  readonly desired: number;
  readonly excessBurstCapacity = 0;
  readonly valid = true;
  readonly #load: number;
  readonly #needed: number;

  constructor(desired: number, load: number, needed: number) {
    this.desired = desired;
    this.#load = load;
    this.#needed = needed;
  }

  explain(): Explanation {
    return {
      policy: 'steady',
      mode: this.#needed > this.desired ? 'climbing' : this.#needed < this.desired ? 'descending' : 'level',
      desired: this.desired,
      observed: { load: this.#load, needed: this.#needed },
      steps: [],
      sentence: `${this.#load} requests in flight need ${this.#needed} instances with one to spare; ${this.desired} wanted now.`,
    };
  }
}

/** For programs that start slowly and suffer from being started many at once. */
export function steady({ perInstance, stepDownMs }: SteadyOptions): Policy<SteadyState> {
  return {
    name: 'steady',
    metrics: () => [{ metric: 'concurrency', windowMs: 10_000, aggregation: 'linear' }],
    initial: ({ readyPods }, nowMs) => ({ wanted: readyPods ?? 0, lastStepMs: nowMs }),
    decide(observation, state, nowMs) {
      const load = observation.average(0, nowMs);
      const needed = load === 0 ? 0 : Math.ceil(load / perInstance) + 1;
      // Climb only when the last step has arrived; going down takes its time.
      const hasArrived = (observation.readyPods ?? 0) >= state.wanted;
      if (needed > state.wanted && hasArrived) state.wanted++;
      else if (needed < state.wanted && nowMs - state.lastStepMs >= stepDownMs) state.wanted--;
      else return new SteadyDecision(state.wanted, load, needed);
      state.lastStepMs = nowMs;
      return new SteadyDecision(state.wanted, load, needed);
    },
  };
}
