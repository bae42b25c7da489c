import { coreServices, type CoreService } from '../../api/core/core-service.ts';
import { endpoints, type Endpoints } from '../../api/core/endpoints.ts';
import type { Ingress } from '../../api/networking/ingress.ts';
import { covers, semanticEqual } from '../equal.ts';
import { labelKeys } from '../keys.ts';
import { markEndpointNotOwned, markServiceNotOwned } from '../lifecycle/route.ts';
import { isControlledBy } from '../metadata.ts';
import { failPass, type Pass } from '../pass.ts';
import { isClusterLocalService, makePlaceholderService, makeRoutedService } from '../resources/placeholder-service.ts';
import type { RoutePass } from './route.ts';

/** A tag's Service as it is now. */
export interface Placeholder {
  readonly tag: string;
  readonly service: CoreService;
  readonly endpoints: Endpoints | undefined;
}

/** Makes the missing Services, one per tag, and removes those of tags that are gone. */
export function syncPlaceholders({ pass, route, world, naming, traffic }: RoutePass): readonly Placeholder[] {
  const { namespace, name: routeName } = route.metadata;
  const placeholders: Placeholder[] = [];
  for (const tag of [...traffic.targets.keys()].sort()) {
    const desired = makePlaceholderService(route, tag, naming);
    const { name } = desired.metadata;
    let service = world.get(coreServices, namespace, name);
    if (service === undefined) {
      service = pass.create(coreServices, desired);
      pass.event('Created', `Created placeholder service "${name}"`);
    } else if (!isControlledBy(service, route)) {
      markServiceNotOwned(pass.conditions, name);
      failPass(`route: "${routeName}" does not own Service: "${name}"`);
    }
    const own = world.get(endpoints, namespace, name);
    if (own !== undefined && !isControlledBy(own, route)) {
      markEndpointNotOwned(pass.conditions, name);
      failPass(`route: "${routeName}" does not own Endpoints: "${name}"`);
    }
    placeholders.push({ tag, service, endpoints: own });
  }
  const active = new Set(placeholders.map(({ service }) => service.metadata.name));
  const selector = { ...(namespace !== undefined && { namespace }), labels: { [labelKeys.route]: routeName } };
  for (const service of world.list(coreServices, selector)) {
    if (active.has(service.metadata.name)) continue;
    pass.delete(coreServices, service);
    const orphan = world.get(endpoints, namespace, service.metadata.name);
    if (orphan !== undefined) pass.delete(endpoints, orphan);
  }
  return placeholders;
}

/** Points the Services at the Ingress' load balancer, once it has one. */
export function routePlaceholders(
  { pass, route, naming }: RoutePass,
  placeholders: readonly Placeholder[],
  ingress: Ingress,
): void {
  for (const from of placeholders) {
    const to = makeRoutedService(route, from.tag, ingress, naming, isClusterLocalService(from.service));
    if (to === undefined) continue;
    const spec = updatedSpec(from.service, to.service);
    if (spec === undefined) {
      // Kubernetes does not turn one kind of Service into another in place.
      pass.delete(coreServices, from.service);
      pass.create(coreServices, to.service);
    } else updateService(pass, from.service, to.service, spec);
    syncEndpoints(pass, from.endpoints, to.endpoints);
  }
}

/** The spec that the existing Service can be given, `undefined` when it must be made anew. */
function updatedSpec(from: CoreService, to: CoreService): CoreService['spec'] | undefined {
  if (from.spec.type !== to.spec.type) return from.spec.type === 'ExternalName' ? to.spec : undefined;
  if (from.spec.type !== 'ClusterIP') return to.spec;
  const { clusterIP: fromIp = '' } = from.spec;
  const { clusterIP: toIp = '' } = to.spec;
  if (fromIp === toIp) return to.spec;
  return fromIp !== 'None' && toIp === '' ? { ...to.spec, clusterIP: fromIp } : undefined;
}

function updateService(pass: Pass, from: CoreService, to: CoreService, spec: CoreService['spec']): void {
  const labels = { ...from.metadata.labels, ...to.metadata.labels };
  const annotations = { ...from.metadata.annotations, ...to.metadata.annotations };
  if (
    covers(from.spec, spec) &&
    semanticEqual(from.metadata.labels, labels) &&
    semanticEqual(from.metadata.annotations, annotations)
  ) {
    return;
  }
  pass.update(coreServices, { ...from, spec, metadata: { ...from.metadata, labels, annotations } });
}

function syncEndpoints(pass: Pass, from: Endpoints | undefined, to: Endpoints | undefined): void {
  if (from === undefined) {
    if (to !== undefined) pass.create(endpoints, to);
  } else if (to === undefined) pass.delete(endpoints, from);
  else if (!covers(from.subsets, to.subsets)) {
    pass.update(endpoints, { ...from, ...(to.subsets !== undefined && { subsets: to.subsets }) });
  }
}
