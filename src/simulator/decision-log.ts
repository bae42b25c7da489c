import type { Decision, Explanation } from '../autoscaler/policy.ts';

/** One decision of the policy and what the bounds made of it. */
export interface LoggedDecision {
  /** Milliseconds since the start. */
  readonly atMs: number;
  /** What the policy wants; the last good wish where this decision was not valid, -1 before any. */
  readonly desired: number;
  /** What bounds and scale to zero make of it: the size of the Deployment. */
  readonly replicas: number;
  readonly readyPods: number;
  readonly excessBurstCapacity: number;
  readonly valid: boolean;
  readonly panic: boolean;
  /** Why the policy's answer was refused. */
  readonly rejected: string | undefined;
  /** The reasons; `undefined` when explanations are off, or this decision changed nothing in a very long run. */
  readonly explanation: Explanation | undefined;
}

/** Up to so many decisions all have their reasons; after that only those that change something. */
const explainedMax = 50_000;

/** The decisions of a run in order. */
export class DecisionLog {
  readonly entries: LoggedDecision[] = [];
  readonly #explains: boolean;

  constructor(explains: boolean) {
    this.#explains = explains;
  }

  add(entry: Omit<LoggedDecision, 'explanation'>, explain: () => Explanation): void {
    const last = this.entries.at(-1);
    const changes = last?.desired !== entry.desired || last.replicas !== entry.replicas || last.panic !== entry.panic;
    const isExplained = this.#explains && (changes || this.entries.length < explainedMax);
    this.entries.push({ ...entry, explanation: isExplained ? explain() : undefined });
  }

  /** The last decision at or before this time. */
  at(atMs: number): LoggedDecision | undefined {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.atMs ?? Infinity) <= atMs) low = middle + 1;
      else high = middle;
    }
    return this.entries[low - 1];
  }
}

/** Whether a decision was made in panic, for policies that know it. */
export function isPanic(decision: Decision): boolean {
  return 'inPanic' in decision && decision.inPanic === true;
}
