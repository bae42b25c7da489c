import { rfc3339 } from '../time.ts';
import type { Condition } from './resource.ts';

/** Which conditions a kind has: the one that sums up, and those that it depends on (`apis.ConditionSet` of knative.dev/pkg). */
export interface ConditionSet {
  readonly happy: string;
  readonly dependents: readonly string[];
}

/** The set of a resource that lives on: `Ready` and what it depends on. */
export function livingConditionSet(...dependents: readonly string[]): ConditionSet {
  return conditionSet('Ready', dependents);
}

/** The set of a resource that runs to completion: `Succeeded` and what it depends on. */
export function batchConditionSet(...dependents: readonly string[]): ConditionSet {
  return conditionSet('Succeeded', dependents);
}

function conditionSet(happy: string, dependents: readonly string[]): ConditionSet {
  return { happy, dependents: [...new Set(dependents)].filter((type) => type !== happy) };
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export const isTrue = (condition: Condition | undefined): boolean => condition?.status === 'True';
export const isFalse = (condition: Condition | undefined): boolean => condition?.status === 'False';
/** True for a condition that is Unknown or not there. */
export const isUnknown = (condition: Condition | undefined): boolean => condition === undefined || condition.status === 'Unknown';

/**
 * The conditions of one object during one pass. Marking replaces the list, sorted by type; the list and the conditions that it was
 * made from are never changed. `lastTransitionTime` moves when anything else of a condition changes.
 */
export interface ConditionManager {
  /** The conditions as they are now, sorted by type. */
  readonly conditions: Condition[];
  get(type: string): Condition | undefined;
  /** The condition that sums up. */
  topLevel(): Condition | undefined;
  isHappy(): boolean;
  /** Conditions of the set that are missing become Unknown, or True when the one that sums up is True. */
  initialize(): void;
  /** Sets one condition as given and nothing else. */
  set(condition: Condition): void;
  markTrue(type: string, reason?: string, message?: string): void;
  /** A dependent takes the one that sums up along, unless another dependent is False. */
  markUnknown(type: string, reason?: string, message?: string): void;
  /** A dependent takes the one that sums up along. */
  markFalse(type: string, reason?: string, message?: string): void;
  /** Removes a condition that does not belong to the set; others stay. */
  clear(type: string): void;
}

/** Starts from the stored conditions of an object; `nowMs` becomes the transition time of those that change. */
export function manageConditions(set: ConditionSet, stored: readonly Condition[] | undefined, nowMs: number): ConditionManager {
  const { happy, dependents } = set;
  const now = rfc3339(nowMs);
  let conditions: Condition[] = [...(stored ?? [])];
  // Stored times have whole seconds; within the pass the order of changes decides which one is the latest.
  const changes = new Map<string, number>();

  const isTerminal = (type: string): boolean => type === happy || dependents.includes(type);
  const get = (type: string): Condition | undefined => findCondition(conditions, type);

  function put(condition: Condition): void {
    const old = get(condition.type);
    if (old !== undefined && sameCondition(old, condition)) return;
    const changed: Condition = { ...condition, lastTransitionTime: now };
    conditions = [...conditions.filter(({ type }) => type !== condition.type), changed].sort(byType);
    changes.delete(condition.type);
    changes.set(condition.type, changes.size === 0 ? 1 : Math.max(...changes.values()) + 1);
  }

  function mark(type: string, status: Condition['status'], reason?: string, message?: string): void {
    put({
      type,
      status,
      ...(isTerminal(type) ? {} : { severity: 'Info' }),
      ...(reason === undefined || reason === '' ? {} : { reason }),
      ...(message === undefined || message === '' ? {} : { message }),
    });
  }

  const byLatest = (a: Condition, b: Condition): number =>
    (changes.get(b.type) ?? 0) - (changes.get(a.type) ?? 0) ||
    Date.parse(b.lastTransitionTime ?? '1970-01-01T00:00:00Z') - Date.parse(a.lastTransitionTime ?? '1970-01-01T00:00:00Z');

  function unhappyDependent(): Pick<Condition, 'status' | 'reason' | 'message'> | undefined {
    if (dependents.length === 0) return undefined;
    const known = conditions.filter(({ type }) => dependents.includes(type)).sort(byLatest);
    const unhappy = known.find(isFalse) ?? known.find(({ status }) => status === 'Unknown');
    return unhappy ?? (known.length < dependents.length ? { status: 'Unknown' } : undefined);
  }

  return {
    get conditions(): Condition[] {
      return conditions;
    },
    get,
    topLevel: () => get(happy),
    isHappy: () => isTrue(get(happy)),
    initialize(): void {
      if (get(happy) === undefined) mark(happy, 'Unknown');
      const status = isTrue(get(happy)) ? 'True' : 'Unknown';
      for (const type of dependents) if (get(type) === undefined) mark(type, status);
    },
    set: put,
    markTrue(type, reason, message): void {
      mark(type, 'True', reason, message);
      const unhappy = unhappyDependent();
      if (unhappy !== undefined) mark(happy, unhappy.status, unhappy.reason, unhappy.message);
      else if (type !== happy) mark(happy, 'True');
    },
    markUnknown(type, reason, message): void {
      mark(type, 'Unknown', reason, message);
      if (dependents.some((dependent) => isFalse(get(dependent)))) {
        if (!isFalse(get(happy))) mark(happy, 'False', reason, message);
      } else if (dependents.includes(type)) mark(happy, 'Unknown', reason, message);
    },
    markFalse(type, reason, message): void {
      mark(type, 'False', reason, message);
      if (dependents.includes(type)) mark(happy, 'False', reason, message);
    },
    clear(type): void {
      if (!isTerminal(type)) conditions = conditions.filter((condition) => condition.type !== type);
    },
  };
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    (a.severity ?? '') === (b.severity ?? '') &&
    (a.reason ?? '') === (b.reason ?? '') &&
    (a.message ?? '') === (b.message ?? '')
  );
}

const byType = (a: Condition, b: Condition): number => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
