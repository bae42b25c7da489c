import type { Exchange } from '../../http/index.ts';
import { noopMeter, type Attributes, type Counter, type Gauge, type Histogram, type Meter } from '../../telemetry/meter.ts';
import { HttpServerMetrics } from './http-server-metrics.ts';
import type { RevisionKey, RevisionLabels } from './revision.ts';

/** Parts of a start from zero that the data plane sees: waiting for an instance, and from arrival to the first byte of the answer. */
export type ColdStartPhase = 'queue-wait' | 'first-byte';

/** Upstream's measurements of one revision, with attribute sets made once. Names: the activator's and the queue-proxy's of knative/serving. */
export class RevisionMetrics {
  readonly #labels: Attributes;
  readonly #byStatus = new Map<number, Attributes>();
  readonly #phases: Readonly<Record<ColdStartPhase, Attributes>>;
  readonly #concurrency: Gauge;
  readonly #coldStart: Histogram;
  readonly #queued: Counter;
  readonly #active: Counter;
  readonly #duration: Histogram;
  readonly #queueWait: Histogram;
  readonly #http: HttpServerMetrics | undefined;

  constructor(meter: Meter, revision: RevisionKey, labels: RevisionLabels | undefined) {
    const slash = revision.indexOf('/');
    this.#labels = {
      'k8s.namespace.name': revision.slice(0, slash),
      'kn.revision.name': revision.slice(slash + 1),
      ...(labels?.service === undefined ? {} : { 'kn.service.name': labels.service }),
      ...(labels?.configuration === undefined ? {} : { 'kn.configuration.name': labels.configuration }),
    };
    this.#phases = {
      'queue-wait': { ...this.#labels, 'kn.cold_start.phase': 'queue-wait' },
      'first-byte': { ...this.#labels, 'kn.cold_start.phase': 'first-byte' },
    };
    // Its attributes take time to find, which is wasted when nobody listens.
    this.#http = meter === noopMeter ? undefined : new HttpServerMetrics(meter, this.#labels);
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
    this.#duration = meter.histogram('kn.serving.invocation.duration', {
      unit: 's',
      description: 'Time from arrival to the end of the response',
    });
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

  /** A request that never got a status counts as 500 when it failed, 499 when its client left. */
  finish(exchange: Exchange, status: number, bytesSent: number, error: Error | undefined, durationMs: number): void {
    const code = status !== 0 ? status : error === undefined ? 500 : 499;
    let attributes = this.#byStatus.get(code);
    if (attributes === undefined) {
      attributes = { ...this.#labels, 'http.response.status_code': code };
      this.#byStatus.set(code, attributes);
    }
    this.#duration.record(durationMs / 1000, attributes);
    this.#http?.record(exchange, code, bytesSent, durationMs);
  }
}
