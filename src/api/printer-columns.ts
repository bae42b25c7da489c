import { resourceNameOf, type Kind } from './kind.ts';

/** A column that `kubectl get` shows. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  /** 1 shows it with `-o wide` only. */
  readonly priority?: number;
}

const text = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
const number = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'integer', jsonPath });
const condition = (name: string, type: string, field: 'status' | 'reason'): PrinterColumn =>
  text(name, `.status.conditions[?(@.type=='${type}')].${field}`);

const ready = [condition('Ready', 'Ready', 'status'), condition('Reason', 'Ready', 'reason')];
const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const columns: Readonly<Record<string, readonly PrinterColumn[]>> = {
  'services.serving.knative.dev': [
    text('URL', '.status.url'),
    text('LatestCreated', '.status.latestCreatedRevisionName'),
    text('LatestReady', '.status.latestReadyRevisionName'),
    ...ready,
  ],
  'configurations.serving.knative.dev': [
    text('LatestCreated', '.status.latestCreatedRevisionName'),
    text('LatestReady', '.status.latestReadyRevisionName'),
    ...ready,
  ],
  'revisions.serving.knative.dev': [
    text('Config Name', ".metadata.labels['serving\\.knative\\.dev/configuration']"),
    text('Generation', ".metadata.labels['serving\\.knative\\.dev/configurationGeneration']"),
    ...ready,
    number('Actual Replicas', '.status.actualReplicas'),
    number('Desired Replicas', '.status.desiredReplicas'),
  ],
  'routes.serving.knative.dev': [text('URL', '.status.url'), ...ready],
  'domainmappings.serving.knative.dev': [text('URL', '.status.url'), ...ready],
  'podautoscalers.autoscaling.internal.knative.dev': [
    number('DesiredScale', '.status.desiredScale'),
    number('ActualScale', '.status.actualScale'),
    ...ready,
  ],
  'serverlessservices.networking.internal.knative.dev': [
    text('Mode', '.spec.mode'),
    number('Activators', '.spec.numActivators'),
    text('ServiceName', '.status.serviceName'),
    text('PrivateServiceName', '.status.privateServiceName'),
    ...ready,
  ],
  'images.caching.internal.knative.dev': [text('Image', '.spec.image')],
  'brokers.eventing.knative.dev': [text('URL', '.status.address.url'), age, ...ready],
  'triggers.eventing.knative.dev': [
    text('Broker', '.spec.broker'),
    text('Subscriber_URI', '.status.subscriberUri'),
    age,
    ...ready,
  ],
  'pingsources.sources.knative.dev': [text('Sink', '.status.sinkUri'), text('Schedule', '.spec.schedule'), age, ...ready],
};

/** The columns that upstream's CRD of a kind shows; readiness and age for kinds without columns of their own. */
export function printerColumnsOf(kind: Kind): readonly PrinterColumn[] {
  return columns[resourceNameOf(kind)] ?? (kind.statusSubresource ? [...ready, age] : [age]);
}
