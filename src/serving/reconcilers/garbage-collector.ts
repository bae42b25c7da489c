import type { Reconciler } from '../../api/reconciler.ts';
import { configurations, type Configuration } from '../../api/serving/configuration.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { garbageCollectionConfig, type GarbageCollectionConfig } from '../config/gc.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { runStatelessPass } from '../pass.ts';

/** Deletes revisions that no route uses, by age and by number, as config-gc says. */
export const garbageCollectorReconciler: Reconciler<Configuration> = {
  name: 'garbage-collector',
  kind: configurations,
  reconcile(configuration, world, nowMs) {
    const config = garbageCollectionConfig(world);
    return runStatelessPass(nowMs, (pass) => {
      if (isOff(config)) return;
      const { namespace, name } = configuration.metadata;
      const own = world.list(revisions, {
        ...(namespace !== undefined && { namespace }),
        labels: { [labelKeys.configuration]: name },
      });
      for (const revision of selectGarbage(config, configuration, own, nowMs)) pass.delete(revisions, revision);
      const nextMs = nextExpiryMs(config, configuration, own, nowMs);
      if (nextMs !== undefined) pass.requeueAfterMs = nextMs;
    });
  },
};

/** How config-gc says `disabled`. */
const disabled = -1;

function isOff(config: GarbageCollectionConfig): boolean {
  const { maxNonActiveRevisions, retainSinceCreateTimeMs, retainSinceLastActiveTimeMs } = config;
  return [maxNonActiveRevisions, retainSinceCreateTimeMs, retainSinceLastActiveTimeMs].every((value) => value === disabled);
}

/**
 * The revisions to delete, in order: first those past both ages, oldest activity first, never below the minimum; then the oldest
 * above the maximum. Source: knative/serving pkg/reconciler/gc/gc.go.
 */
export function selectGarbage(
  config: GarbageCollectionConfig,
  configuration: Configuration,
  all: readonly Revision[],
  nowMs: number,
): readonly Revision[] {
  const { minNonActiveRevisions: min, maxNonActiveRevisions: max } = config;
  const candidates = idleRevisions(configuration, all);
  if (isOff(config) || candidates.length <= min) return [];
  const deletable = candidates.length - min;
  const stale = candidates.filter((revision) => isStale(config, revision, nowMs)).slice(0, deletable);
  if (stale.length >= deletable || max === disabled) return stale;
  const kept = candidates.filter((revision) => !stale.includes(revision));
  return [...stale, ...kept.slice(0, Math.max(0, kept.length - max))];
}

/** Revisions that no route uses and nothing protects, oldest activity first. */
function idleRevisions(configuration: Configuration, all: readonly Revision[]): Revision[] {
  const latestReady = configuration.status?.latestReadyRevisionName;
  return all
    .filter(
      ({ metadata }) =>
        metadata.name !== latestReady &&
        metadata.annotations?.[annotationKeys.noGc]?.toLowerCase() !== 'true' &&
        metadata.labels?.[labelKeys.routingState] === 'reserve',
    )
    .sort((a, b) => lastActiveMs(a) - lastActiveMs(b));
}

function isStale(config: GarbageCollectionConfig, revision: Revision, nowMs: number): boolean {
  const { retainSinceCreateTimeMs, retainSinceLastActiveTimeMs } = config;
  if (retainSinceCreateTimeMs === disabled && retainSinceLastActiveTimeMs === disabled) return false;
  if (retainSinceCreateTimeMs !== disabled && nowMs - createdMs(revision) < retainSinceCreateTimeMs) return false;
  return retainSinceLastActiveTimeMs === disabled || nowMs - lastActiveMs(revision) >= retainSinceLastActiveTimeMs;
}

/** When the next idle revision grows too old: upstream waits for the next event or resync, we come back. */
function nextExpiryMs(
  config: GarbageCollectionConfig,
  configuration: Configuration,
  all: readonly Revision[],
  nowMs: number,
): number | undefined {
  const { retainSinceCreateTimeMs, retainSinceLastActiveTimeMs, minNonActiveRevisions } = config;
  if (retainSinceCreateTimeMs === disabled && retainSinceLastActiveTimeMs === disabled) return undefined;
  const idle = idleRevisions(configuration, all);
  if (idle.length <= minNonActiveRevisions) return undefined;
  const expiries = idle
    .map((revision) =>
      Math.max(
        retainSinceCreateTimeMs === disabled ? -Infinity : createdMs(revision) + retainSinceCreateTimeMs,
        retainSinceLastActiveTimeMs === disabled ? -Infinity : lastActiveMs(revision) + retainSinceLastActiveTimeMs,
      ),
    )
    .filter((expiryMs) => expiryMs > nowMs);
  return expiries.length === 0 ? undefined : Math.min(...expiries) - nowMs;
}

function createdMs(revision: Revision): number {
  return timeMs(revision.metadata.creationTimestamp) ?? 0;
}

function lastActiveMs(revision: Revision): number {
  return timeMs(revision.metadata.annotations?.[annotationKeys.routingStateModified]) ?? createdMs(revision);
}

function timeMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
