import { findCondition } from '../../api/conditions.ts';
import type { Condition } from '../../api/resource.ts';

interface Observed {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: Condition[] };
}

/** True when the object's current generation has been observed and is Ready. */
export function isReady(resource: Observed): boolean {
  return observedStatus(resource) === 'True';
}

/** True when the object's current generation has been observed and has failed. */
export function isFailed(resource: Observed): boolean {
  return observedStatus(resource) === 'False';
}

/** True while the status speaks of an older generation. */
export function isOutdated(resource: Observed): boolean {
  return (resource.metadata.generation ?? 0) !== (resource.status?.observedGeneration ?? 0);
}

function observedStatus(resource: Observed): Condition['status'] | undefined {
  return isOutdated(resource) ? undefined : findCondition(resource.status?.conditions, 'Ready')?.status;
}
