import { findCondition, isTrue } from '../../api/conditions.ts';
import type { Kind } from '../../api/kind.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';
import { configurations, type Configuration } from '../../api/serving/configuration.ts';
import { revisions } from '../../api/serving/revision.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { services, type Service, type ServiceStatus } from '../../api/serving/service.ts';
import type { TrafficTarget } from '../../api/serving/traffic-target.ts';
import { goEqual } from '../../api/go-equal.ts';
import { semanticEqual } from '../equal.ts';
import { labelKeys } from '../keys.ts';
import {
  markConfigurationNotOwned,
  markConfigurationNotReconciled,
  markRevisionNameTaken,
  markRouteNotOwned,
  markRouteNotReconciled,
  markRouteNotYetReady,
  propagateReady,
  serviceConditions,
} from '../lifecycle/service.ts';
import { isOutdated } from '../lifecycle/readiness.ts';
import { isControlledBy } from '../metadata.ts';
import { failPass, runPass, type Pass } from '../pass.ts';
import { makeConfiguration } from '../resources/configuration.ts';
import { makeRoute } from '../resources/route.ts';

/** Service → Configuration and Route of its name; its status is what they say, and whether traffic has reached the latest revision. */
export const serviceReconciler: Reconciler<Service> = {
  name: 'service',
  kind: services,
  reconcile(service, world, nowMs) {
    return runPass<ServiceStatus>(service, serviceConditions, nowMs, {}, (pass) => {
      const configuration = syncConfiguration(pass, service, world);
      const name = configuration.spec.template.metadata.name ?? '';
      if (isOutdated(configuration)) {
        markConfigurationNotReconciled(pass.conditions);
        // A name of the user's own may be taken: no traffic may be assigned before the Configuration knows.
        if (name !== '') return;
      } else propagateConfiguration(pass, configuration);

      if (name !== '' && isNameTaken(configuration, name, world)) {
        markRevisionNameTaken(pass.conditions, name);
        return;
      }
      const route = syncRoute(pass, service, world);
      if (isOutdated(route)) markRouteNotReconciled(pass.conditions);
      else propagateRoute(pass, route);
      if (isTrue(pass.conditions.get('RoutesReady')) && !carriesWantedTraffic(route, configuration)) {
        markRouteNotYetReady(pass.conditions);
      }
    });
  },
};

function syncConfiguration(pass: Pass<ServiceStatus>, service: Service, world: Reader): Configuration {
  const { name, namespace } = service.metadata;
  const existing = world.get(configurations, namespace, name);
  if (existing === undefined) {
    pass.event('Created', `Created Configuration "${name}"`);
    return pass.create(configurations, makeConfiguration(service));
  }
  if (!isControlledBy(existing, service)) {
    markConfigurationNotOwned(pass.conditions, name);
    failPass(`service: "${service.metadata.name}" does not own configuration: "${name}"`);
  }
  return syncChild(pass, configurations, existing, makeConfiguration(service, existing));
}

function syncRoute(pass: Pass<ServiceStatus>, service: Service, world: Reader): Route {
  const { name, namespace } = service.metadata;
  const existing = world.get(routes, namespace, name);
  if (existing === undefined) {
    pass.event('Created', `Created Route "${name}"`);
    return pass.create(routes, makeRoute(service));
  }
  if (!isControlledBy(existing, service)) {
    markRouteNotOwned(pass.conditions, name);
    failPass(`service: "${service.metadata.name}" does not own route: "${name}"`);
  }
  return syncChild(pass, routes, existing, makeRoute(service));
}

/** Writes spec, labels and annotations back when the child has others. */
function syncChild<R extends Resource>(pass: Pass<ServiceStatus>, kind: Kind<R>, existing: R, desired: R): R {
  const { labels = {}, annotations = {} } = desired.metadata;
  const sameSpec =
    goEqual(existing.spec, desired.spec, true) ||
    goEqual(kind.defaults?.(existing, { operation: 'update', old: existing }).spec, desired.spec, true);
  if (sameSpec && semanticEqual(existing.metadata.labels, labels) && semanticEqual(existing.metadata.annotations, annotations)) {
    return existing;
  }
  const changed = { ...existing, spec: desired.spec, metadata: { ...existing.metadata, labels, annotations } };
  pass.update(kind, changed);
  // The store counts a generation for another spec, which the child has not seen then.
  const generation = (existing.metadata.generation ?? 0) + (sameSpec ? 0 : 1);
  return { ...changed, metadata: { ...changed.metadata, generation } };
}

function propagateConfiguration(pass: Pass<ServiceStatus>, configuration: Configuration): void {
  const { latestCreatedRevisionName: created, latestReadyRevisionName: ready, conditions } = configuration.status ?? {};
  delete pass.status.latestCreatedRevisionName;
  delete pass.status.latestReadyRevisionName;
  if (created !== undefined) pass.status.latestCreatedRevisionName = created;
  if (ready !== undefined) pass.status.latestReadyRevisionName = ready;
  propagateReady(pass.conditions, 'ConfigurationsReady', findCondition(conditions, 'Ready'));
}

function propagateRoute(pass: Pass<ServiceStatus>, route: Route): void {
  const { url, address, traffic, conditions } = route.status ?? {};
  delete pass.status.url;
  delete pass.status.address;
  delete pass.status.traffic;
  if (url !== undefined) pass.status.url = url;
  if (address !== undefined) pass.status.address = address;
  if (traffic !== undefined) pass.status.traffic = traffic;
  propagateReady(pass.conditions, 'RoutesReady', findCondition(conditions, 'Ready'));
}

/** True when the template's name belongs to a Revision that is not this Configuration's current one. */
export function isNameTaken(configuration: Configuration, name: string, world: Reader): boolean {
  const revision = world.get(revisions, configuration.metadata.namespace, name);
  if (revision === undefined) return false;
  if (!isControlledBy(revision, configuration)) return true;
  const generation = String(configuration.metadata.generation ?? 0);
  if (revision.metadata.labels?.[labelKeys.configurationGeneration] === generation) return false;
  return !goEqual(configuration.spec.template.spec, revision.spec, true);
}

/** True when the Route's status shows the traffic that its spec wants, with the Configuration's latest ready revision. */
function carriesWantedTraffic(route: Route, configuration: Configuration): boolean {
  const wanted = route.spec.traffic ?? [];
  const actual = route.status?.traffic ?? [];
  if (wanted.length !== actual.length) return false;
  return wanted.every((target, index) => {
    const latest =
      target.configurationName === configuration.metadata.name
        ? { ...target, revisionName: configuration.status?.latestReadyRevisionName ?? '', configurationName: '' }
        : target;
    return semanticEqual(comparable(latest), comparable(actual[index]));
  });
}

function comparable(target: TrafficTarget | undefined): Omit<TrafficTarget, 'url' | 'latestRevision'> {
  const { url: _url, latestRevision: _latestRevision, ...rest } = target ?? {};
  return rest;
}
