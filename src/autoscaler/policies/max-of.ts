import { KnativeError } from '../../errors.ts';
import type { Decision, Explanation, Policy } from '../policy.ts';
import { explain } from '../explain.ts';
import { mergeRequests, ObservationView } from './observation-view.ts';

interface Part {
  readonly policy: Policy;
  readonly state: unknown;
  readonly view: ObservationView;
  /** Last valid decision's numbers; they stand while the policy has nothing to decide on. */
  desired: number | undefined;
  excessBurstCapacity: number;
  last: Decision | undefined;
}

class MaxDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  winner: string | undefined;
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }

  explain(): Explanation {
    const parts = this.parts.flatMap(({ last }) => (last === undefined ? [] : [explain(last)]));
    const list = this.parts.map(({ policy, desired }) => `${policy.name} ${desired ?? 'nothing yet'}`).join(', ');
    return {
      policy: 'max-of',
      mode: this.valid ? 'decided' : 'no-data',
      desired: this.desired,
      observed: {},
      steps: [],
      parts,
      sentence: this.valid
        ? `The largest of ${list}: ${this.desired} wanted, by ${this.winner}.`
        : 'None of the policies had enough to decide on.',
    };
  }
}

/**
 * The largest wish of several policies, and the smallest excess burst capacity. A policy without data keeps its last wish; the
 * whole is valid once one of them is.
 */
export function maxOf(...policies: readonly Policy[]): Policy<{ readonly parts: Part[]; readonly decision: MaxDecision }> {
  if (policies.length === 0) {
    throw new KnativeError('AUTOSCALER_INVALID_OPTION', 'maxOf: at least one policy is needed', { path: 'policies' });
  }
  return {
    name: 'max-of',
    metrics: (spec) => mergeRequests(policies.map((policy) => policy.metrics(spec))).requests,
    initial(observation, nowMs) {
      const { indices } = mergeRequests(policies.map((policy) => policy.metrics(observation.spec)));
      const parts = policies.map((policy, at): Part => {
        const view = new ObservationView(observation, { indices: indices[at] ?? [] });
        const state = policy.initial(view, nowMs);
        return { policy, state, view, desired: undefined, excessBurstCapacity: 0, last: undefined };
      });
      return { parts, decision: new MaxDecision(parts) };
    },
    decide(observation, { parts, decision }, nowMs) {
      decision.valid = false;
      decision.desired = 0;
      decision.excessBurstCapacity = 0;
      decision.winner = undefined;
      for (const part of parts) {
        part.view.base = observation;
        const own = part.policy.decide(part.view, part.state, nowMs);
        part.last = own;
        if (own.valid) ({ desired: part.desired, excessBurstCapacity: part.excessBurstCapacity } = own);
        if (part.desired === undefined) continue;
        decision.excessBurstCapacity =
          decision.winner === undefined
            ? part.excessBurstCapacity
            : Math.min(decision.excessBurstCapacity, part.excessBurstCapacity);
        // NaN must not hide behind a comparison: it has to reach whoever refuses it.
        if (decision.winner === undefined || !(part.desired <= decision.desired)) {
          decision.desired = part.desired;
          decision.winner = part.policy.name;
        }
        decision.valid ||= own.valid;
      }
      return decision;
    },
  };
}
