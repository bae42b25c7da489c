import type { Attributes, Counter, Gauge, Histogram, Meter } from '../../telemetry/meter.ts';
import { InvocationMetrics } from './invocation-metrics.ts';
import type { RevisionKey, RevisionLabels } from './revision.ts';

/** Parts of a start from zero that the data plane sees: waiting for an instance, and from arrival to the first byte of the answer. */
export type ColdStartPhase = 'queue-wait' | 'first-byte';

/** Attributes of a revision's measurements. */
export function revisionAttributes(revision: RevisionKey, labels: RevisionLabels | undefined): Attributes {
  const slash = revision.indexOf('/');
  return {
    'k8s.namespace.name': revision.slice(0, slash),
    'kn.revision.name': revision.slice(slash + 1),
    ...(labels?.service === undefined ? {} : { 'kn.service.name': labels.service }),
    ...(labels?.configuration === undefined ? {} : { 'kn.configuration.name': labels.configuration }),
  };
}

/** Upstream's measurements of one revision, with attribute sets made once. Names: the activator's and the queue-proxy's of knative/serving. */
export class RevisionMetrics {
  /** Those of the queue-proxy. */
  readonly invocations: InvocationMetrics;
  readonly #labels: Attributes;
  readonly #phases: Readonly<Record<ColdStartPhase, Attributes>>;
  readonly #concurrency: Gauge;
  readonly #coldStart: Histogram;
  readonly #queued: Counter;
  readonly #active: Counter;
  readonly #queueWait: Histogram;

  constructor(meter: Meter, revision: RevisionKey, labels: RevisionLabels | undefined) {
    this.#labels = revisionAttributes(revision, labels);
    this.invocations = new InvocationMetrics(meter, this.#labels);
    this.#phases = {
      'queue-wait': { ...this.#labels, 'kn.cold_start.phase': 'queue-wait' },
      'first-byte': { ...this.#labels, 'kn.cold_start.phase': 'first-byte' },
    };
    this.#concurrency = meter.gauge('kn.revision.request.concurrency', {
      unit: '{request}',
      description: 'Average requests under way since the last report',
    });
    this.#coldStart = meter.histogram('kn.serving.cold_start.duration', {
      unit: 's',
      description: 'Parts of starts from zero instances',
    });
    this.#queued = meter.upDownCounter('kn.revision.request.queued', {
      unit: '{request}',
      description: 'Requests that wait for an instance',
    });
    this.#active = meter.upDownCounter('kn.revision.request.active', { unit: '{request}', description: 'Requests in instances' });
    this.#queueWait = meter.histogram('kn.serving.queue.wait.duration', {
      unit: 's',
      description: 'Time that requests waited for an instance',
    });
  }

  queued(change: 1 | -1): void {
    this.#queued.add(change, this.#labels);
  }

  active(change: 1 | -1): void {
    this.#active.add(change, this.#labels);
  }

  concurrency(average: number): void {
    this.#concurrency.record(average, this.#labels);
  }

  coldStart(phase: ColdStartPhase, durationMs: number): void {
    this.#coldStart.record(durationMs / 1000, this.#phases[phase]);
  }

  waited(durationMs: number): void {
    this.#queueWait.record(durationMs / 1000, this.#labels);
  }
}
