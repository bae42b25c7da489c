import type { Route } from '../../api/serving/route.ts';
import type { TrafficTarget } from '../../api/serving/traffic-target.ts';
import { domainName, tagHostname, type Naming, type Visibility } from '../domain-name.ts';
import { rolloutsOfTag, type Rollout } from './rollout.ts';
import type { TrafficConfig } from './traffic.ts';

/** The traffic that a Route's status shows: per target its revision, or all revisions of a rollout in progress. */
export function statusTraffic(
  route: Route,
  traffic: TrafficConfig,
  visibility: ReadonlyMap<string, Visibility>,
  naming: Naming,
  rollout: Rollout,
): TrafficTarget[] {
  const results: TrafficTarget[] = [];
  for (const target of traffic.revisionTargets) {
    const { tag, latestRevision, configurationName } = target;
    const rolling = latestRevision
      ? rolloutsOfTag(rollout, tag).find((candidate) => candidate.configurationName === configurationName)
      : undefined;
    const url = tag === '' ? undefined : tagUrl(route, tag, visibility, naming);
    for (const { revisionName, percent } of rolling?.revisions ?? [target]) {
      results.push({
        ...(tag !== '' && { tag }),
        revisionName,
        percent,
        latestRevision,
        ...(url !== undefined && { url }),
      });
    }
  }
  return results;
}

function tagUrl(route: Route, tag: string, visibility: ReadonlyMap<string, Visibility>, naming: Naming): string {
  const own = visibility.get(tag) ?? 'ExternalIP';
  const scheme = own === 'ClusterLocal' ? 'http' : naming.network.defaultExternalScheme;
  return `${scheme}://${domainName(naming, route.metadata, tagHostname(naming, route.metadata.name, tag), own)}`;
}
