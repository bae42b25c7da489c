import { manageConditions, type ConditionManager, type ConditionSet } from '../api/conditions.ts';
import type { Kind } from '../api/kind.ts';
import type { EventRecord, Plan, Write } from '../api/reconciler.ts';
import type { Condition, ObjectMeta, Resource } from '../api/resource.ts';
import { semanticEqual } from './equal.ts';
import { isOutdated } from './lifecycle/readiness.ts';

interface CommonStatus {
  observedGeneration?: number;
  conditions?: Condition[];
}

/** An object that a pass is about. */
interface WithStatus<S extends CommonStatus> {
  readonly metadata: ObjectMeta;
  readonly status?: S;
}

/** Ends a pass early; what it has planned so far is carried out. */
export class PassFailure extends Error {}

/** Ends the running pass with an error that makes the controller try again. */
export function failPass(message: string): never {
  throw new PassFailure(message);
}

/** What one pass over one object plans: collected step by step, handed over as a `Plan`. */
export class Pass<S extends CommonStatus = CommonStatus> {
  readonly nowMs: number;
  readonly conditions: ConditionManager;
  /** The status being made; starts as a copy of the stored one. */
  readonly status: S;
  readonly writes: Write[] = [];
  readonly events: EventRecord[] = [];
  requeueAfterMs: number | undefined;

  constructor(status: S, conditions: ConditionManager, nowMs: number) {
    this.status = status;
    this.conditions = conditions;
    this.nowMs = nowMs;
  }

  /** Plans to create a child, and returns it as it would be read after that. */
  create<R extends Resource>(kind: Kind<R>, resource: R): R {
    this.writes.push({ op: 'create', kind: anyKind(kind), resource });
    return { ...resource, metadata: { ...resource.metadata, generation: 1 } };
  }

  /** Plans to change an object; `resource` is the whole of it, based on the version that was read. */
  update<R extends Resource>(kind: Kind<R>, resource: R): R {
    this.writes.push({ op: 'update', kind: anyKind(kind), resource });
    return resource;
  }

  /** Plans a merge patch of everything but status. */
  patch<R extends Resource>(
    kind: Kind<R>,
    namespace: string | undefined,
    name: string,
    patch: Readonly<Record<string, unknown>>,
  ): void {
    this.writes.push({ op: 'patch', kind: anyKind(kind), namespace, name, patch });
  }

  delete<R extends Resource>(kind: Kind<R>, resource: { readonly metadata: ObjectMeta }): void {
    const { namespace, name, uid } = resource.metadata;
    this.writes.push({ op: 'delete', kind: anyKind(kind), namespace, name, ...(uid !== undefined && { uid }) });
  }

  event(reason: string, message: string, type: EventRecord['type'] = 'Normal'): void {
    this.events.push({ type, reason, message });
  }
}

/** A plan's writes are of many kinds. */
function anyKind<R extends Resource>(kind: Kind<R>): Kind {
  return kind as unknown as Kind;
}

/**
 * Runs `body` as one pass and gives its plan. Before it, missing conditions are initialised and a new generation makes Ready
 * unknown; after it, the generation counts as observed whatever came of it.
 */
export function runPass<S extends CommonStatus>(
  resource: WithStatus<S>,
  conditionSet: ConditionSet,
  nowMs: number,
  emptyStatus: S,
  body: (pass: Pass<S>) => void,
): Plan {
  const stored = resource.status?.conditions;
  const conditions = manageConditions(conditionSet, stored, nowMs);
  conditions.initialize();
  if (isOutdated(resource)) {
    conditions.markUnknown(conditionSet.happy, 'NewObservedGenFailure', 'unsuccessfully observed a new generation');
  }
  const pass = new Pass<S>({ ...(resource.status ?? emptyStatus) }, conditions, nowMs);
  const error = failureOf(() => {
    body(pass);
  });
  pass.status.conditions = conditions.conditions.map((condition) => keepTime(condition, stored));
  if (resource.metadata.generation !== undefined) pass.status.observedGeneration = resource.metadata.generation;
  return planOf(pass, error, semanticEqual(pass.status, resource.status) ? undefined : pass.status);
}

/** The same for work that has no status of its own to write. */
export function runStatelessPass(nowMs: number, body: (pass: Pass) => void): Plan {
  const pass = new Pass({}, manageConditions({ happy: 'Ready', dependents: [] }, [], nowMs), nowMs);
  const error = failureOf(() => {
    body(pass);
  });
  return planOf(pass, error, undefined);
}

function failureOf(body: () => void): string | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    if (error instanceof PassFailure) return error.message;
    throw error;
  }
}

function planOf(pass: Pass, error: string | undefined, status: object | undefined): Plan {
  return {
    writes: pass.writes,
    ...(status !== undefined && { status }),
    ...(pass.requeueAfterMs !== undefined && { requeueAfterMs: pass.requeueAfterMs }),
    ...(pass.events.length > 0 && { events: pass.events }),
    ...(error !== undefined && { error }),
  };
}

/** A condition that went back to what it was keeps its old time: a pass without news changes nothing. */
function keepTime(condition: Condition, stored: readonly Condition[] | undefined): Condition {
  const before = stored?.find(({ type }) => type === condition.type);
  if (before === undefined || before === condition) return condition;
  const same =
    before.status === condition.status &&
    before.severity === condition.severity &&
    (before.reason ?? '') === (condition.reason ?? '') &&
    (before.message ?? '') === (condition.message ?? '');
  return same ? before : condition;
}
