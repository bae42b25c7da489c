import type { Cron } from 'croner';
import { durationMs, type Duration } from '../../duration.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { explain } from '../explain.ts';
import type { Decision, Explanation, Policy } from '../policy.ts';
import { excessBurstCapacityOf } from './observation-view.ts';

/** A recurring time in which there are at least `min` instances. */
export interface ScheduledFloor {
  /** When it begins: five or six cron fields, or what `croner` understands besides. */
  readonly cron: string;
  /** IANA name (`Europe/Berlin`); default UTC. Clock changes are those of the zone. */
  readonly timeZone?: string;
  readonly duration: Duration;
  readonly min: number;
}

interface Window {
  readonly cron: Cron;
  readonly lengthMs: number;
  readonly min: number;
  /** Until this time the answer below holds. */
  validUntilMs: number;
  active: boolean;
}

class FloorDecision implements Decision {
  desired = 0;
  excessBurstCapacity = 0;
  valid = false;
  floor = 0;
  base: Decision | undefined;

  explain(): Explanation {
    const base = this.base === undefined ? undefined : explain(this.base);
    const before = this.base?.valid === true ? this.base.desired : 0;
    const lifted = this.valid && this.desired > before;
    return {
      policy: 'scheduled-floor',
      mode: base?.mode ?? 'no-data',
      desired: this.desired,
      observed: { floor: this.floor, ...base?.observed },
      steps: [...(base?.steps ?? []), ...(lifted ? [{ rule: 'scheduled-floor', before, after: this.desired }] : [])],
      ...(base === undefined ? {} : { parts: [base] }),
      sentence:
        `${base?.sentence ?? ''} ${lifted ? `The schedule lifts it to ${this.desired}.` : `The schedule's floor is ${this.floor}.`}`.trim(),
    };
  }
}

interface ScheduledFloorState<State> {
  readonly inner: State;
  readonly windows: Window[];
  readonly decision: FloorDecision;
}

/**
 * At least so many instances at scheduled times, otherwise whatever `policy` wants. Where windows overlap the largest floor counts.
 * While the policy has no data the floor is held, and the instances that are ready. Schedules are checked here:
 * `AUTOSCALER_INVALID_OPTION`. Awaited, because the package that reads schedules is loaded only when there are any.
 */
export async function scheduledFloor<State>(
  policy: Policy<State>,
  floors: readonly ScheduledFloor[],
): Promise<Policy<ScheduledFloorState<State>>> {
  const croner = await import('croner');
  const checked = floors.map((floor, index) => parseFloor(floor, index, croner.Cron));
  return {
    name: 'scheduled-floor',
    metrics: (spec) => policy.metrics(spec),
    initial: (observation, nowMs) => ({
      inner: policy.initial(observation, nowMs),
      windows: checked.map(({ cron, lengthMs, min }) => ({ cron, lengthMs, min, validUntilMs: -Infinity, active: false })),
      decision: new FloorDecision(),
    }),
    decide(observation, { inner, windows, decision }, nowMs) {
      const base = policy.decide(observation, inner, nowMs);
      let floor = 0;
      for (const window of windows) if (isActive(window, nowMs) && window.min > floor) floor = window.min;
      decision.base = base;
      decision.floor = floor;
      decision.valid = base.valid;
      decision.desired = base.desired;
      decision.excessBurstCapacity = base.excessBurstCapacity;
      if (base.valid) {
        if (base.desired < floor) decision.desired = floor;
      } else if (floor > 0) {
        const readyPods = observation.readyPods ?? 0;
        decision.valid = true;
        decision.desired = Math.max(floor, readyPods);
        decision.excessBurstCapacity = excessBurstCapacityOf(observation.spec, readyPods, 0);
      }
      return decision;
    },
  };
}

function parseFloor(floor: ScheduledFloor, index: number, Schedule: typeof Cron): { cron: Cron; lengthMs: number; min: number } {
  const path = `floors[${index}]`;
  const fail = (field: string, problem: string): KnativeError =>
    new KnativeError('AUTOSCALER_INVALID_OPTION', `scheduledFloor: ${path}.${field} ${problem}`, { path: `${path}.${field}` });
  if (!Number.isSafeInteger(floor.min) || floor.min < 0)
    throw fail('min', `must be a whole number of 0 or more, got ${floor.min}`);
  const lengthMs = durationMs(floor.duration, `${path}.duration`);
  if (lengthMs <= 0) throw fail('duration', 'must be positive');
  try {
    const cron = new Schedule(floor.cron, { timezone: floor.timeZone ?? 'UTC', paused: true });
    // An unknown zone shows only when a time is computed.
    cron.nextRun(new Date(0));
    return { cron, lengthMs, min: floor.min };
  } catch (error) {
    throw fail('cron', `is not a schedule: ${messageOf(error)}`);
  }
}

// A window is active when it began less than its length ago. The answer is kept until it can change.
function isActive(window: Window, nowMs: number): boolean {
  if (nowMs < window.validUntilMs) return window.active;
  const began = window.cron.nextRun(new Date(nowMs - window.lengthMs))?.getTime() ?? Infinity;
  window.active = began <= nowMs;
  window.validUntilMs = window.active ? began + window.lengthMs : began;
  return window.active;
}
