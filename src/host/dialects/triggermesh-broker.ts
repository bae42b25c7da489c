import { mapped, unsupported, type ReportLine, type Translation } from './dialect.ts';
import { listAt, objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';

/** The brokers of TriggerMesh become ordinary ones on the built-in log. */
export function translateBroker(document: JsonObject): Translation {
  const report: ReportLine[] = [mapped('kind', 'the built-in broker')];
  if (valueAt(document, 'spec', 'redis') !== undefined) report.push(unsupported('spec.redis', 'no Redis is connected'));
  return {
    verdict: 'translate',
    objects: [
      { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: objectAt(document, 'metadata') ?? {}, spec: {} },
    ],
    report,
  };
}

/** Their triggers name broker and target by reference. */
export function translateTrigger(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const filters = listAt(spec, 'filters');
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: objectAt(document, 'metadata') ?? {},
        spec: {
          broker: textAt(spec, 'broker', 'name') ?? '',
          ...(filters.length === 0 ? {} : { filters }),
          subscriber: objectAt(spec, 'target') ?? {},
          ...(valueAt(spec, 'delivery') === undefined ? {} : { delivery: valueAt(spec, 'delivery') }),
        },
      },
    ],
    report: [mapped('spec.broker', 'broker by name'), mapped('spec.target', 'subscriber')],
  };
}
