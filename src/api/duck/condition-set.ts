import type { Condition } from '../resource.ts';

/** The types of a living condition set: `happy` sums up the `dependents`. */
export interface ConditionTypes {
  /** Default `Ready`. */
  readonly happy?: string;
  readonly dependents: readonly string[];
}

/**
 * The conditions of one object while a reconciler works on them: a living condition set as `knative.dev/pkg/apis` defines it. Marking
 * a dependent recomputes the happy condition: the latest False dependent wins, then the latest Unknown one, else it is True.
 */
export class ConditionSet {
  readonly #happy: string;
  readonly #dependents: readonly string[];
  readonly #now: string;
  readonly #conditions: Map<string, Condition>;
  /** Which mark of this pass set a condition: stored times have whole seconds, so they cannot tell. */
  readonly #marks = new Map<string, number>();
  #markCount = 0;

  /** `old` are the stored conditions, `nowMs` the time of transitions. Missing conditions start as Unknown (True under a True happy condition). */
  constructor(types: ConditionTypes, old: readonly Condition[] | undefined, nowMs: number) {
    this.#happy = types.happy ?? 'Ready';
    this.#dependents = types.dependents;
    this.#now = rfc3339Seconds(nowMs);
    this.#conditions = new Map((old ?? []).map((condition) => [condition.type, condition]));
    if (!this.#conditions.has(this.#happy)) this.#set({ type: this.#happy, status: 'Unknown' });
    const status = this.get(this.#happy)?.status === 'True' ? 'True' : 'Unknown';
    for (const type of this.#dependents) {
      if (!this.#conditions.has(type)) this.#set({ type, status });
    }
  }

  get(type: string): Condition | undefined {
    return this.#conditions.get(type);
  }

  /** All conditions, sorted by type as upstream stores them. */
  list(): Condition[] {
    return [...this.#conditions.values()].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
  }

  /** Says that a generation is seen for the first time; the reconciler is expected to overwrite it. */
  markNewGeneration(): void {
    this.markUnknown(this.#happy, 'NewObservedGenFailure', 'unsuccessfully observed a new generation');
  }

  markTrue(type: string, reason = '', message = ''): void {
    this.#set(makeCondition(type, 'True', reason, message));
    const unhappy = this.#latest('False') ?? this.#latest('Unknown');
    if (unhappy !== undefined) this.#copyToHappy(unhappy);
    else this.#set({ type: this.#happy, status: 'True' });
  }

  markUnknown(type: string, reason = '', message = ''): void {
    this.#set(makeCondition(type, 'Unknown', reason, message));
    const failed = this.#dependents.map((name) => this.get(name)).find((condition) => condition?.status === 'False');
    if (failed !== undefined) {
      if (this.get(this.#happy)?.status !== 'False') this.#copyToHappy(failed);
    } else if (this.#dependents.includes(type)) this.#set(makeCondition(this.#happy, 'Unknown', reason, message));
  }

  markFalse(type: string, reason = '', message = ''): void {
    this.#set(makeCondition(type, 'False', reason, message));
    if (this.#dependents.includes(type)) this.#set(makeCondition(this.#happy, 'False', reason, message));
  }

  #latest(status: 'False' | 'Unknown'): Condition | undefined {
    let latest: Condition | undefined;
    for (const type of this.#dependents) {
      const condition = this.get(type);
      if (condition?.status === status && (latest === undefined || this.#isLater(condition, latest))) latest = condition;
    }
    return latest;
  }

  #isLater(a: Condition, b: Condition): boolean {
    const order = (this.#marks.get(a.type) ?? 0) - (this.#marks.get(b.type) ?? 0);
    return order === 0 ? (a.lastTransitionTime ?? '') > (b.lastTransitionTime ?? '') : order > 0;
  }

  #copyToHappy(condition: Condition): void {
    this.#set(makeCondition(this.#happy, condition.status, condition.reason ?? '', condition.message ?? ''));
  }

  #set(condition: Condition): void {
    const old = this.#conditions.get(condition.type);
    if (
      old !== undefined &&
      old.status === condition.status &&
      (old.reason ?? '') === (condition.reason ?? '') &&
      (old.message ?? '') === (condition.message ?? '')
    ) {
      return;
    }
    this.#marks.set(condition.type, ++this.#markCount);
    this.#conditions.set(condition.type, { ...condition, lastTransitionTime: this.#now });
  }
}

function makeCondition(type: string, status: Condition['status'], reason: string, message: string): Condition {
  return { type, status, ...(reason === '' ? {} : { reason }), ...(message === '' ? {} : { message }) };
}

function rfc3339Seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
