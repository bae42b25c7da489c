import { isTrue } from '../../api/conditions.ts';
import type { HTTP01Challenge } from '../../api/networking/certificate.ts';
import { ingresses, type Ingress, type IngressTLS } from '../../api/networking/ingress.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { routes, type Route, type RouteStatus } from '../../api/serving/route.ts';
import { parseGoDuration } from '../../duration.ts';
import { domainConfig } from '../config/domain.ts';
import { featuresConfig } from '../config/features.ts';
import { networkConfig } from '../config/network.ts';
import { DomainNameError, domainName, type Naming, type Visibility } from '../domain-name.ts';
import { semanticEqual } from '../equal.ts';
import { httpOptionOf } from '../http-option.ts';
import { annotationKeys, annotationSpellings, annotationValue, clusterServiceDomain } from '../keys.ts';
import { isOutdated, isReady } from '../lifecycle/readiness.ts';
import {
  markIngressNotConfigured,
  markIngressRolloutInProgress,
  markTrafficAssigned,
  markTrafficError,
  propagateIngressStatus,
  routeConditions,
} from '../lifecycle/route.ts';
import { failPass, runPass, type Pass } from '../pass.ts';
import { ingressName, makeIngress, type IngressInput } from '../resources/ingress.ts';
import { emptyRollout, observeReady, rolloutDone, stepRollout, type Rollout } from '../traffic/rollout.ts';
import { parseRollout } from '../traffic/rollout-annotation.ts';
import { markTargetError } from '../traffic/target-error.ts';
import { buildTraffic, defaultTarget, rolloutOf, sourcesOf, type TrafficConfig } from '../traffic/traffic.ts';
import { statusTraffic } from '../traffic/status.ts';
import { routePlaceholders, syncPlaceholders } from './route-placeholders.ts';
import { syncRouteTls } from './route-tls.ts';
import { resolveVisibility } from './route-visibility.ts';

/** What a pass over a Route has found out so far. */
export interface RoutePass {
  readonly pass: Pass<RouteStatus>;
  readonly route: Route;
  readonly world: Reader;
  readonly naming: Naming;
  readonly traffic: TrafficConfig;
  readonly visibility: ReadonlyMap<string, Visibility>;
}

/** Route → Ingress, placeholder Services and Certificates; moves traffic to a new revision step by step when asked to. */
export const routeReconciler: Reconciler<Route> = {
  name: 'route',
  kind: routes,
  reconcile(route, world, nowMs) {
    const naming: Naming = { network: networkConfig(world), domain: domainConfig(world) };
    return runPass<RouteStatus>(route, routeConditions, nowMs, {}, (pass) => {
      if (isOutdated(route)) markIngressNotConfigured(pass.conditions);
      const configured = configureTraffic(pass, route, world, naming);
      if (configured === undefined) return;
      const routePass = { pass, route, world, naming, ...configured };
      pass.status.address = { url: `http://${route.metadata.name}.${route.metadata.namespace ?? ''}.${clusterServiceDomain}` };
      const placeholders = syncPlaceholders(routePass);
      const { tls, challenges } = syncRouteTls(routePass);
      const { ingress, rollout } = syncIngress(routePass, tls, challenges);
      const done = rolloutDone(rollout);
      if (isOutdated(ingress)) markIngressNotConfigured(pass.conditions);
      else if (done) propagateIngressStatus(pass.conditions, ingress.status);
      routePlaceholders(routePass, placeholders, ingress);
      if (!done) {
        markIngressRolloutInProgress(pass.conditions);
        pass.status.traffic = statusTraffic(route, configured.traffic, configured.visibility, naming, rollout);
      }
    });
  },
};

/** Address and traffic of the status; `undefined` when a target cannot get requests: nothing is programmed then. */
function configureTraffic(
  pass: Pass<RouteStatus>,
  route: Route,
  world: Reader,
  naming: Naming,
): Pick<RoutePass, 'traffic' | 'visibility'> | undefined {
  const traffic = buildTraffic(route, sourcesOf(world, route.metadata.namespace));
  try {
    const visibility = resolveVisibility(route, naming, world);
    const own = visibility.get(defaultTarget) ?? 'ExternalIP';
    const scheme = own === 'ClusterLocal' ? 'http' : naming.network.defaultExternalScheme;
    pass.status.url = `${scheme}://${domainName(naming, route.metadata, route.metadata.name, own)}`;
    if ('error' in traffic) {
      markTargetError(pass.conditions, traffic.error);
      return undefined;
    }
    pass.status.traffic = statusTraffic(route, traffic, visibility, naming, emptyRollout);
    markTrafficAssigned(pass.conditions);
    return { traffic, visibility };
  } catch (error) {
    if (error instanceof DomainNameError) markTrafficError(pass.conditions, 'ErrorConfig', error.message);
    throw error;
  }
}

function syncIngress(
  routePass: RoutePass,
  tls: readonly IngressTLS[],
  challenges: readonly HTTP01Challenge[],
): { readonly ingress: Ingress; readonly rollout: Rollout } {
  const { pass, route, world, naming, traffic, visibility } = routePass;
  const existing = world.get(ingresses, route.metadata.namespace, ingressName(route));
  const rollout = existing === undefined ? rolloutOf(traffic) : nextRollout(routePass, existing);
  const http = httpOptionOf(naming.network, route.metadata.annotations);
  if ('error' in http) failPass(http.error);
  const { annotations } = route.metadata;
  const input: IngressInput = {
    route,
    traffic,
    rollout,
    visibility,
    naming,
    ingressClass: annotationValue(annotations, annotationSpellings.ingressClass) || naming.network.defaultIngressClass,
    httpOption: http.option,
    tagHeaderRouting: featuresConfig(world).tagHeaderBasedRouting === 'Enabled',
    tls,
    challenges,
  };
  const desired = makeIngress(input);
  if (existing === undefined) {
    pass.event('Created', `Created Ingress "${desired.metadata.name}"`);
    return { ingress: pass.create(ingresses, desired), rollout };
  }
  return { ingress: updateIngress(pass, existing, desired), rollout };
}

/** Writes spec, labels and annotations back where they differ; gives the Ingress as it will be read. */
export function updateIngress(pass: Pass, existing: Ingress, desired: Ingress): Ingress {
  const { labels = {}, annotations = {} } = desired.metadata;
  const sameSpec = semanticEqual(existing.spec, desired.spec);
  if (sameSpec && semanticEqual(existing.metadata.annotations, annotations) && semanticEqual(existing.metadata.labels, labels)) {
    return existing;
  }
  const changed = { ...existing, spec: desired.spec, metadata: { ...existing.metadata, labels, annotations } };
  pass.update(ingresses, changed);
  const generation = (existing.metadata.generation ?? 0) + (sameSpec ? 0 : 1);
  return { ...changed, metadata: { ...changed.metadata, generation } };
}

/** The traffic shape of this pass: at once, or the next step of the rollout that the existing Ingress remembers. */
function nextRollout({ pass, route, naming, traffic }: RoutePass, ingress: Ingress): Rollout {
  const wanted = rolloutOf(traffic);
  const durationText = annotationValue(route.metadata.annotations, annotationSpellings.rolloutDuration) ?? '';
  const ownSeconds = Math.trunc((parseGoDuration(durationText) ?? 0) / 1_000);
  const seconds = ownSeconds === 0 ? naming.network.rolloutDurationSeconds : ownSeconds;
  if (seconds <= 0) return wanted;
  const nowNs = BigInt(Math.floor(pass.nowMs)) * 1_000_000n;
  let previous = parseRollout(ingress.metadata.annotations?.[annotationKeys.rollout]);
  // The Ingress has become ready since the last pass: what it took sets the pace.
  if (previous !== undefined && isReady(ingress) && !isTrue(pass.conditions.get('IngressReady'))) {
    previous = observeReady(previous, nowNs, seconds);
  }
  const { rollout, nextStepTimeNs } = stepRollout(wanted, previous, nowNs);
  if (nextStepTimeNs > 0n) pass.requeueAfterMs = Math.max(0, Number(nextStepTimeNs - nowNs) / 1e6);
  return rollout;
}
