import type { Kind } from '../../api/kind.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';
import { configurations } from '../../api/serving/configuration.ts';
import { revisions } from '../../api/serving/revision.ts';
import { routeIndexEntry } from '../../api/serving/route-index.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { rfc3339 } from '../../time.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { isFailed, isReady } from '../lifecycle/readiness.ts';
import { controllerOf, joinList, listAnnotation } from '../metadata.ts';
import { runStatelessPass, type Pass } from '../pass.ts';

/**
 * Writes on Configurations and Revisions which routes use them, and keeps revisions `active` or puts them in `reserve`. What a
 * route no longer names is released only once the route is ready (or has failed), so that traffic has really moved.
 */
export const labelerReconciler: Reconciler<Route> = {
  name: 'labeler',
  kind: routes,
  reconcile(route, world, nowMs) {
    return runStatelessPass(nowMs, (pass) => {
      const used = findUsed(route, world);
      if (isReady(route) || isFailed(route)) release(pass, route, world, used.revisionNames, used.configurationNames);
      for (const name of used.revisionNames) mark(pass, revisions, world, route, name, false);
      for (const name of used.configurationNames) mark(pass, configurations, world, route, name, false);
    });
  },
  finalizer: 'routes.serving.knative.dev',
  finalize(route, world, nowMs) {
    return runStatelessPass(nowMs, (pass) => {
      release(pass, route, world, new Set(), new Set());
    });
  },
};

/** What the route's spec names, and what its status still sends requests to. */
function findUsed(route: Route, world: Reader): { revisionNames: Set<string>; configurationNames: Set<string> } {
  const { namespace } = route.metadata;
  const revisionNames = new Set<string>();
  const configurationNames = new Set<string>();
  for (const target of [...(route.status?.traffic ?? []), ...(route.spec.traffic ?? [])]) {
    let configurationName = target.configurationName ?? '';
    const revisionName = target.revisionName ?? '';
    if (revisionName !== '') {
      const revision = world.get(revisions, namespace, revisionName);
      if (revision === undefined) continue;
      revisionNames.add(revisionName);
      const owner = controllerOf(revision);
      if (owner?.kind === 'Configuration') configurationName = owner.name;
    }
    if (configurationName === '') continue;
    const configuration = world.get(configurations, namespace, configurationName);
    if (configuration === undefined) continue;
    configurationNames.add(configurationName);
    // The newest revision will be needed soon, even if it is not ready yet.
    const latest = configuration.status?.latestCreatedRevisionName ?? '';
    if (latest !== '' && target.latestRevision === true) revisionNames.add(latest);
  }
  return { revisionNames, configurationNames };
}

function release(
  pass: Pass,
  route: Route,
  world: Reader,
  revisionNames: ReadonlySet<string>,
  configurationNames: ReadonlySet<string>,
): void {
  const { namespace, name } = route.metadata;
  // The index finds what a scan of the namespace would; the annotation has the last word where a reader has no index.
  const selector = { ...(namespace === undefined ? {} : { namespace }), index: routeIndexEntry(namespace, name) };
  const uses = ({ metadata }: Resource): boolean => listAnnotation(metadata.annotations, annotationKeys.routes).has(name);
  for (const revision of world.list(revisions, { ...selector, labels: { [labelKeys.routingState]: 'active' } })) {
    if (uses(revision) && !revisionNames.has(revision.metadata.name))
      mark(pass, revisions, world, route, revision.metadata.name, true);
  }
  for (const configuration of world.list(configurations, selector)) {
    const own = configuration.metadata.name;
    if (uses(configuration) && !configurationNames.has(own)) mark(pass, configurations, world, route, own, true);
  }
}

/** Plans the patch that adds or removes the route, and the routing state that follows; none when nothing changes. */
function mark<R extends Resource>(pass: Pass, kind: Kind<R>, world: Reader, route: Route, name: string, remove: boolean): void {
  const { namespace } = route.metadata;
  const resource = world.get(kind, namespace, name);
  if (resource === undefined) return;
  const { labels, annotations } = resource.metadata;
  const changedAnnotations: Record<string, string | null> = {};
  const changedLabels: Record<string, string> = {};
  const names = listAnnotation(annotations, annotationKeys.routes);
  if (names.has(route.metadata.name) === remove) {
    if (remove) names.delete(route.metadata.name);
    else names.add(route.metadata.name);
    changedAnnotations[annotationKeys.routes] = names.size === 0 ? null : joinList(names);
  }
  if (kind.kind === revisions.kind) {
    const state = names.size > 0 ? 'active' : 'reserve';
    if (labels?.[labelKeys.routingState] !== state) {
      changedLabels[labelKeys.routingState] = state;
      changedAnnotations[annotationKeys.routingStateModified] = rfc3339(pass.nowMs);
    }
  }
  const metadata = {
    ...(Object.keys(changedLabels).length > 0 && { labels: changedLabels }),
    ...(Object.keys(changedAnnotations).length > 0 && { annotations: changedAnnotations }),
  };
  if (Object.keys(metadata).length > 0) pass.patch(kind, namespace, name, { metadata });
}
