import { durationMs, type Duration } from '../../duration.ts';
import { explain } from '../explain.ts';
import type { Decision, Explanation, Policy } from '../policy.ts';

export interface CoolDownOptions {
  /** No scaling down for this long after any change. Default 0. */
  readonly scaleDown?: Duration;
  /** No scaling up for this long after any change. Default 0; scaling up from 0 is never held back. */
  readonly scaleUp?: Duration;
}

class CoolDownDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  held = false;
  base: Decision | undefined;

  explain(): Explanation {
    const base = this.base === undefined ? undefined : explain(this.base);
    const wished = this.base?.desired ?? 0;
    return {
      policy: 'cool-down',
      mode: this.held ? 'cooling-down' : (base?.mode ?? 'no-data'),
      desired: this.desired,
      observed: base?.observed ?? {},
      steps: [...(base?.steps ?? []), ...(this.held ? [{ rule: 'cool-down', before: wished, after: this.desired }] : [])],
      ...(base === undefined ? {} : { parts: [base] }),
      sentence: `${base?.sentence ?? ''}${this.held ? ` Cooling down: ${this.desired} stays instead of ${wished}.` : ''}`.trim(),
    };
  }
}

interface CoolDownState<State> {
  readonly inner: State;
  readonly decision: CoolDownDecision;
  desired: number | undefined;
  changedMs: number;
}

/** After a change of `policy`'s wish the next one must wait, per direction. */
export function coolDown<State>(policy: Policy<State>, options: CoolDownOptions): Policy<CoolDownState<State>> {
  const downMs = durationMs(options.scaleDown ?? 0, 'scaleDown');
  const upMs = durationMs(options.scaleUp ?? 0, 'scaleUp');
  return {
    name: 'cool-down',
    metrics: (spec) => policy.metrics(spec),
    initial: (observation, nowMs) => ({
      inner: policy.initial(observation, nowMs),
      decision: new CoolDownDecision(),
      desired: undefined,
      changedMs: -Infinity,
    }),
    decide(observation, state, nowMs) {
      const base = policy.decide(observation, state.inner, nowMs);
      const { decision } = state;
      decision.base = base;
      decision.valid = base.valid;
      decision.excessBurstCapacity = base.excessBurstCapacity;
      decision.desired = base.desired;
      decision.held = false;
      if (!base.valid) return decision;
      const last = state.desired;
      if (last !== undefined && last !== base.desired) {
        const waitMs = base.desired < last ? downMs : last === 0 ? 0 : upMs;
        decision.held = nowMs - state.changedMs < waitMs;
        if (decision.held) decision.desired = last;
      }
      if (state.desired !== decision.desired) {
        state.desired = decision.desired;
        state.changedMs = nowMs;
      }
      return decision;
    },
  };
}
