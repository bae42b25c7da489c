import { coreServices } from '../../api/core/core-service.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Route } from '../../api/serving/route.ts';
import { domainForLabels } from '../config/domain.ts';
import { tagHostname, type Naming, type Visibility } from '../domain-name.ts';
import { clusterServiceDomain, labelKeys } from '../keys.ts';
import { defaultTarget } from '../traffic/traffic.ts';

/**
 * Who can reach each tag: nobody outside when the route's domain is the cluster's, or when the placeholder Service of the tag
 * carries a visibility label, which a user may put there.
 */
export function resolveVisibility(route: Route, naming: Naming, world: Reader): Map<string, Visibility> {
  const { namespace, name, labels } = route.metadata;
  const local = domainForLabels(naming.domain, labels) === clusterServiceDomain;
  const services = world.list(coreServices, {
    ...(namespace !== undefined && { namespace }),
    labels: { [labelKeys.route]: name },
  });
  const hidden = new Set(
    services
      .filter(({ metadata }) => (metadata.labels?.[labelKeys.visibility] ?? '') !== '')
      .map(({ metadata }) => metadata.name),
  );
  const visibility = new Map<string, Visibility>();
  for (const tag of [defaultTarget, ...(route.spec.traffic ?? []).map((target) => target.tag ?? '')]) {
    if (visibility.has(tag)) continue;
    visibility.set(tag, local || hidden.has(tagHostname(naming, name, tag)) ? 'ClusterLocal' : 'ExternalIP');
  }
  return visibility;
}
