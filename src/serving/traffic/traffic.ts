import type { Reader } from '../../api/reconciler.ts';
import { configurations, type Configuration } from '../../api/serving/configuration.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import type { Route } from '../../api/serving/route.ts';
import type { TrafficTarget } from '../../api/serving/traffic-target.ts';
import { labelKeys } from '../keys.ts';
import { isReady } from '../lifecycle/readiness.ts';
import { protocolOf } from '../resources/revision-containers.ts';
import { sortRollout, type ConfigurationRollout, type Rollout } from './rollout.ts';
import { isFailure, missingTarget, unreadyConfiguration, unreadyRevision, type TargetError } from './target-error.ts';

/** The name of the route itself among the tags. */
export const defaultTarget = '';

/** A traffic target that leads to one revision. */
export interface RevisionTarget {
  readonly tag: string;
  readonly revisionName: string;
  /** The Configuration that the revision comes from, '' when unknown. */
  readonly configurationName: string;
  readonly latestRevision: boolean;
  percent: number;
  readonly protocol: 'http1' | 'h2c';
}

/** What a Route's traffic targets mean right now. */
export interface TrafficConfig {
  /** By tag, '' for the route itself; targets of the same revision merged, a single one gets everything. */
  readonly targets: ReadonlyMap<string, readonly RevisionTarget[]>;
  /** In the order of the spec, for the status. */
  readonly revisionTargets: readonly RevisionTarget[];
}

/** Looks up what targets name, in the route's namespace. */
export interface TrafficSources {
  configuration(name: string): Configuration | undefined;
  revision(name: string): Revision | undefined;
}

/** Sources that read through a `Reader`, and thereby watch what they read. */
export function sourcesOf(world: Reader, namespace: string | undefined): TrafficSources {
  return {
    configuration: (name) => world.get(configurations, namespace, name),
    revision: (name) => world.get(revisions, namespace, name),
  };
}

/**
 * Resolves the targets of a Route. With any bad target nothing is programmed: the error is the first one, or the last one that is
 * a failure rather than a matter of time. Source: knative/serving pkg/reconciler/route/traffic/traffic.go.
 */
export function buildTraffic(route: Route, sources: TrafficSources): TrafficConfig | { readonly error: TargetError } {
  const spec = route.spec.traffic ?? [];
  const resolved: RevisionTarget[] = [];
  let error: TargetError | undefined;
  for (const target of spec) {
    const result = resolveTarget(target, route, sources);
    if (result === undefined) continue;
    if ('problem' in result) {
      if (error === undefined || isFailure(result)) error = result;
    } else if (error === undefined) resolved.push(result);
  }
  if (error !== undefined) return { error };
  const byTag = new Map<string, RevisionTarget[]>();
  const revisionTargets: RevisionTarget[] = [];
  for (const target of resolved) {
    mergeInto(revisionTargets, target, true);
    add(byTag, defaultTarget, target);
    if (target.tag !== '') add(byTag, target.tag, target);
  }
  for (const targets of byTag.values()) {
    const [only] = targets;
    if (only !== undefined && targets.length === 1) only.percent = 100;
  }
  return { targets: byTag, revisionTargets };
}

function add(byTag: Map<string, RevisionTarget[]>, tag: string, target: RevisionTarget): void {
  const targets = byTag.get(tag);
  if (targets === undefined) byTag.set(tag, [{ ...target }]);
  else mergeInto(targets, target, false);
}

/** Adds a target; percentages of the same revision add up (for the status only when tag and way of naming agree too). */
function mergeInto(targets: RevisionTarget[], target: RevisionTarget, exactly: boolean): void {
  for (const known of targets) {
    if (known.revisionName !== target.revisionName) continue;
    if (exactly && (known.tag !== target.tag || known.latestRevision !== target.latestRevision)) continue;
    known.percent += target.percent;
    return;
  }
  targets.push({ ...target });
}

function resolveTarget(target: TrafficTarget, route: Route, sources: TrafficSources): RevisionTarget | TargetError | undefined {
  if (target.revisionName !== undefined && target.revisionName !== '') {
    return resolveRevision(target, target.revisionName, route, sources);
  }
  const name = target.configurationName ?? '';
  if (name === '') return undefined;
  const configuration = sources.configuration(name);
  if (configuration === undefined) return missingTarget('Configuration', name);
  const latest = configuration.status?.latestReadyRevisionName ?? '';
  if (latest === '') return unreadyConfiguration(configuration);
  const revision = sources.revision(latest);
  if (revision === undefined) return missingTarget('Revision', latest);
  if (!isReady(revision)) return unreadyRevision(revision);
  return makeTarget(target, revision, name);
}

function resolveRevision(
  target: TrafficTarget,
  name: string,
  route: Route,
  sources: TrafficSources,
): RevisionTarget | TargetError {
  const revision = sources.revision(name);
  if (revision === undefined) return missingTarget('Revision', name);
  const labels = revision.metadata.labels;
  const service = route.metadata.labels?.[labelKeys.service] ?? '';
  const actualService = labels?.[labelKeys.service] ?? '';
  if (service !== '' && service !== actualService) {
    return { problem: 'not-owned', name, expectedService: service, actualService };
  }
  if (!isReady(revision)) return unreadyRevision(revision);
  const configurationName = labels?.[labelKeys.configuration];
  if (configurationName !== undefined && sources.configuration(configurationName) === undefined) {
    return missingTarget('Configuration', configurationName);
  }
  return makeTarget(target, revision, configurationName ?? target.configurationName ?? '');
}

function makeTarget(target: TrafficTarget, revision: Revision, configurationName: string): RevisionTarget {
  return {
    tag: target.tag ?? '',
    revisionName: revision.metadata.name,
    configurationName,
    latestRevision: target.latestRevision ?? false,
    percent: target.percent ?? 0,
    protocol: protocolOf(revision),
  };
}

/** The rollout that the targets ask for: every followed Configuration at its newest revision. */
export function rolloutOf(traffic: TrafficConfig): Rollout {
  const configurations: ConfigurationRollout[] = [];
  for (const [tag, targets] of traffic.targets) {
    for (const { latestRevision, percent, configurationName, revisionName } of targets) {
      if (!latestRevision || percent === 0) continue;
      configurations.push({ configurationName, tag, percent, revisions: [{ revisionName, percent }], stepParams: {} });
    }
  }
  return configurations.length < 2 ? { configurations } : sortRollout(configurations);
}
