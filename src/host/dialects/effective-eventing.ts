import type { Resource } from '../../api/resource.ts';
import { orderKey } from './eventing-report.ts';
import { listAt, objectAt, referenceText, textAt, textEntries, valueAt, type JsonObject } from './json-path.ts';

/** What a Broker comes down to. */
export function effectiveBroker(resource: Resource): JsonObject {
  const delivery = objectAt(resource, 'spec', 'delivery');
  return {
    brokerClass: resource.metadata.annotations?.['eventing.knative.dev/broker.class'] ?? 'MTChannelBasedBroker',
    servedBy: 'in-process',
    ...(delivery === undefined ? {} : { delivery: deliverySettings(delivery) }),
  };
}

function deliverySettings(delivery: JsonObject): JsonObject {
  const sink = referenceText(delivery['deadLetterSink']);
  return { ...delivery, ...(sink === undefined ? {} : { deadLetterSink: sink }) };
}

/** What a Trigger comes down to: its filter as one expression, its order. */
export function effectiveTrigger(resource: Resource): JsonObject {
  const filters = listAt(resource, 'spec', 'filters');
  const attributes = objectAt(resource, 'spec', 'filter', 'attributes');
  const order = resource.metadata.annotations?.[orderKey];
  const filter =
    filters.length > 1 ? { all: filters } : (filters[0] ?? (attributes === undefined ? undefined : { exact: attributes }));
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(order === undefined ? {} : { ordering: order }),
  };
}

/** What a PingSource comes down to: the event that it sends, and where to. */
export function effectivePing(resource: Resource): JsonObject {
  const spec = objectAt(resource, 'spec');
  const contentType = textAt(spec, 'contentType');
  const data = textAt(spec, 'data');
  return {
    kind: 'PingSource',
    schedule: textAt(spec, 'schedule'),
    event: {
      type: 'dev.knative.sources.ping',
      ...(contentType === undefined ? {} : { datacontenttype: contentType }),
      ...(data === undefined ? {} : { data: contentType === 'application/json' ? jsonOr(data) : data }),
      ...Object.fromEntries(textEntries(valueAt(spec, 'ceOverrides', 'extensions'))),
    },
    sink: referenceText(valueAt(spec, 'sink')),
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What a DomainMapping comes down to. */
export function effectiveMapping(resource: Resource): JsonObject {
  return { host: resource.metadata.name, target: referenceText(valueAt(resource, 'spec')) };
}
