import { resourceNameOf, type Kind } from '../api/kind.ts';
import type { Plan, Write } from '../api/reconciler.ts';
import { resourceKey, type Resource } from '../api/resource.ts';
import { KnativeError } from '../errors.ts';
import { jsonEqual } from '../json.ts';
import type { ResourceStore } from './resource-store.ts';

/** Refusals that are normal in a level-triggered world: the object changed or was made meanwhile, its change wakes the key again. */
const staleReads = new Set(['CONTROLLER_CONFLICT', 'CONTROLLER_ALREADY_EXISTS', 'CONTROLLER_NOT_FOUND']);

/** True for a write that lost a race and will be planned anew. */
export function isStaleRead(error: unknown): boolean {
  return KnativeError.is(error) && staleReads.has(error.code);
}

/** What became of a plan. `stale`: a write lost a race, the key has to be reconciled again. */
export interface PlanOutcome {
  readonly stale: boolean;
}

/** Carries out a plan: the writes in order, then the status of `resource`. Other refusals than lost races reject. */
export async function executePlan(store: ResourceStore, kind: Kind, resource: Resource, plan: Plan): Promise<PlanOutcome> {
  let stale = false;
  for (const write of plan.writes) {
    try {
      await carryOut(store, write);
    } catch (error) {
      if (!isStaleRead(error)) throw describe(write, error);
      // Deleting what is gone is done; everything else was planned on an old view.
      if (write.op !== 'delete') stale = true;
    }
  }
  if (plan.status !== undefined && !jsonEqual(plan.status, resource.status)) {
    try {
      // Unconditional on the version, since only this reconciler writes this status; the uid guards against a successor of the same name.
      const current = await store.get(kind, resource.metadata.namespace, resource.metadata.name);
      if (current !== undefined && current.metadata.uid === resource.metadata.uid) {
        await store.updateStatus(kind, { ...current, status: plan.status });
      }
    } catch (error) {
      if (!isStaleRead(error)) throw error;
      stale = true;
    }
  }
  return { stale };
}

async function carryOut(store: ResourceStore, write: Write): Promise<void> {
  switch (write.op) {
    case 'create':
      await store.create(write.kind, write.resource);
      return;
    case 'update':
      await store.update(write.kind, write.resource);
      return;
    case 'patch':
      await store.patch(
        write.kind,
        write.namespace,
        write.name,
        write.patch,
        write.subresource === undefined ? {} : { subresource: write.subresource },
      );
      return;
    case 'delete':
      await store.delete(write.kind, write.namespace, write.name, write.uid === undefined ? {} : { uid: write.uid });
      return;
  }
}

function describe(write: Write, error: unknown): KnativeError {
  const target =
    write.op === 'create' || write.op === 'update'
      ? resourceKey(write.resource.metadata.namespace, write.resource.metadata.name)
      : resourceKey(write.namespace, write.name);
  const cause = error instanceof Error ? error.message : String(error);
  return new KnativeError(
    'CONTROLLER_WRITE_REFUSED',
    `${write.op} of ${resourceNameOf(write.kind)} ${target} was refused: ${cause}`,
    { cause: error },
  );
}
