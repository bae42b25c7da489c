import { info, mapped, unsupported, type ReportLine } from './dialect.ts';
import { keyPath, listAt, objectAt, referenceText, textAt, valueAt, type JsonObject } from './json-path.ts';

const classKey = 'eventing.knative.dev/broker.class';
export const orderKey = 'kafka.eventing.knative.dev/delivery.order';

/** Broker classes that the built-in log serves as what they are. */
const servedClasses: readonly (string | undefined)[] = [undefined, 'MTChannelBasedBroker'];

/** What is said about brokers, triggers, domain mappings and settings. */
export function reportEventing(document: JsonObject): readonly ReportLine[] {
  switch (document['kind']) {
    case 'Broker':
      return reportBroker(document);
    case 'Trigger':
      return reportTrigger(document);
    case 'DomainMapping': {
      const host = textAt(document, 'metadata', 'name') ?? '';
      const target = referenceText(valueAt(document, 'spec')) ?? '';
      return [mapped('spec.ref', `requests for ${host} go to ${target}`)];
    }
    case 'ConfigMap':
      return reportSettings(document);
    default:
      return [];
  }
}

function reportBroker(document: JsonObject): readonly ReportLine[] {
  const brokerClass = textAt(document, 'metadata', 'annotations', classKey);
  if (servedClasses.includes(brokerClass)) {
    return brokerClass === undefined
      ? []
      : [info(keyPath('metadata.annotations', classKey), 'runs on the built-in log', brokerClass)];
  }
  const report: ReportLine[] = [
    unsupported(
      keyPath('metadata.annotations', classKey),
      `class ${brokerClass ?? ''} is served by the in-process broker unless a binding is configured`,
      brokerClass,
    ),
  ];
  if (objectAt(document, 'spec', 'config') !== undefined) {
    report.push(unsupported('spec.config', `settings of class ${brokerClass ?? ''} are not read`));
  }
  return report;
}

function reportTrigger(document: JsonObject): readonly ReportLine[] {
  const report: ReportLine[] = [];
  const order = textAt(document, 'metadata', 'annotations', orderKey);
  if (order !== undefined) {
    const meaning =
      order === 'ordered'
        ? 'one event at a time per partitionkey; the next waits for the response'
        : 'events are delivered as they come';
    report.push(mapped(keyPath('metadata.annotations', orderKey), meaning, order));
  }
  if (objectAt(document, 'spec', 'filter', 'attributes') !== undefined) {
    report.push(mapped('spec.filter.attributes', 'exact match on all attributes'));
  }
  if (listAt(document, 'spec', 'filters').length > 0) report.push(mapped('spec.filters', 'all of them must match'));
  return report;
}

function reportSettings(document: JsonObject): readonly ReportLine[] {
  if (textAt(document, 'metadata', 'name') !== 'config-domain') return [];
  const domains = Object.keys(objectAt(document, 'data') ?? {}).filter((key) => key !== '_example');
  return domains.length === 0 ? [] : [mapped('data', 'domains of service addresses', domains[0])];
}
