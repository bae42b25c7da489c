import { info, mapped, unsupported, type Dialect, type ReportLine, type Translation } from './dialect.ts';
import { groupOf, listAt, numberAt, objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';

const clusterGroups = new Set([
  'core.gardener.cloud',
  'garden.sapcloud.io',
  'settings.gardener.cloud',
  'extensions.gardener.cloud',
]);

/** Gardener describes clusters, which are reported; subscriptions of its sister Kyma become Triggers. */
export const gardener: Dialect = {
  name: 'gardener',
  recognizes: (document) => clusterGroups.has(groupOf(document)) || isKymaSubscription(document),
  translate(document) {
    if (isKymaSubscription(document)) return translateSubscription(document);
    return clusterGroups.has(groupOf(document)) ? reportCluster(document) : undefined;
  },
};

const isKymaSubscription = (document: JsonObject): boolean =>
  groupOf(document) === 'eventing.kyma-project.io' && document['kind'] === 'Subscription';

function reportCluster(document: JsonObject): Translation {
  const kind = textAt(document, 'kind') ?? '';
  const report: ReportLine[] = [
    unsupported('kind', `${kind} describes a cluster or a part of it, not a workload; the rest of the file applies`),
  ];
  if (listAt(document, 'spec', 'hibernation', 'schedules').length > 0) {
    report.push(info('spec.hibernation.schedules', 'may be turned into a schedule of scale bounds; not done by default'));
  }
  return { verdict: 'report', objects: [], report, effective: null };
}

/** Types and source become filters on the default Broker; the older form lists pairs of both. */
function translateSubscription(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const source = textAt(spec, 'source') ?? '';
  const types = listAt(spec, 'types').filter((type) => typeof type === 'string');
  const older = listAt(spec, 'filter', 'filters').map((entry) => ({
    exact: { source: textAt(entry, 'eventSource', 'value') ?? '', type: textAt(entry, 'eventType', 'value') ?? '' },
  }));
  const anyType = types.length === 1 ? { exact: { type: types[0] } } : { any: types.map((type) => ({ exact: { type } })) };
  const newer = source === '' ? anyType : { all: [{ exact: { source } }, anyType] };
  const filter = older.length > 0 ? { any: older } : newer;
  const maxInFlight = numberAt(spec, 'config', 'maxInFlightMessages');
  const metadata = objectAt(document, 'metadata') ?? {};
  const annotations: JsonObject = { ...objectAt(metadata, 'annotations') };
  if (maxInFlight !== undefined) annotations['knative-embed.dev/max-in-flight'] = String(maxInFlight);
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: { ...metadata, annotations },
        spec: { broker: 'default', filters: [filter], subscriber: { uri: textAt(spec, 'sink') ?? '' } },
      },
    ],
    report: reportSubscription(spec),
    effective: { kind: 'Trigger', filter, ...(maxInFlight === undefined ? {} : { maxInFlight }) },
  };
}

function reportSubscription(spec: JsonObject | undefined): readonly ReportLine[] {
  const report: ReportLine[] = [];
  const note = (path: string, message: string, ...keys: readonly string[]): void => {
    const value = valueAt(spec, ...keys);
    if (value !== undefined) report.push(mapped(path, message, typeof value === 'object' ? undefined : value));
  };
  note('spec.types', 'exact match on any of the listed types', 'types');
  note('spec.source', 'exact match on source', 'source');
  note('spec.filter', 'exact match on source and type', 'filter');
  note('spec.sink', 'subscriber address', 'sink');
  note('spec.config.maxInFlightMessages', 'most unanswered deliveries', 'config', 'maxInFlightMessages');
  return report;
}
