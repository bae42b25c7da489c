import type { Exchange } from '../../http/index.ts';
import { noopMeter, type Attributes, type Gauge, type Histogram, type Meter } from '../../telemetry/meter.ts';
import { HttpServerMetrics } from './http-server-metrics.ts';

/** A request that is over, as its measurements need it. */
export interface MeasuredRequest {
  /** As the client sent it. */
  readonly inner: Exchange;
  /** As the instance got it. */
  readonly rawHeaders: readonly string[];
  /** Status sent to the client, 0 for none. */
  readonly status: number;
  /** Bytes of the response body. */
  readonly bytesSent: number;
  readonly arrivedMs: number;
  /** When an instance got it; `undefined` when none did. */
  readonly dispatchedMs: number | undefined;
}

/** What upstream's queue-proxy measures of requests, with attribute sets made once. Source: knative/serving pkg/queue/request_metric.go. */
export class InvocationMetrics {
  readonly #labels: Attributes;
  readonly #byStatus = new Map<number, Attributes>();
  readonly #duration: Histogram;
  readonly #depth: Gauge;
  readonly #http: HttpServerMetrics | undefined;

  constructor(meter: Meter, labels: Attributes) {
    this.#labels = labels;
    // Its attributes take time to find, which is wasted when nobody listens.
    this.#http = meter === noopMeter ? undefined : new HttpServerMetrics(meter, labels);
    this.#duration = meter.histogram('kn.serving.invocation.duration', {
      unit: 's',
      description: 'Time from when an instance got the request to the end of the response',
    });
    this.#depth = meter.gauge('kn.serving.queue.depth', {
      unit: '{request}',
      description: 'Requests in instances and waiting for one when the last request began, with a concurrency limit',
    });
  }

  /** Told as a request goes to an instance whose concurrency is limited, with the requests that are there or wait. */
  depth(requests: number): void {
    this.#depth.record(requests, this.#labels);
  }

  /** A request that never got a status counts as 500 when it failed, 499 when its client left. */
  finish(request: MeasuredRequest, error: Error | undefined, nowMs: number): void {
    const { status, dispatchedMs } = request;
    const code = status !== 0 ? status : error === undefined ? 500 : 499;
    if (dispatchedMs !== undefined) this.#duration.record((nowMs - dispatchedMs) / 1_000, this.#attributesOf(code));
    this.#http?.record(request, code, nowMs);
  }

  #attributesOf(code: number): Attributes {
    let attributes = this.#byStatus.get(code);
    if (attributes === undefined) {
      attributes = { ...this.#labels, 'http.response.status_code': code };
      this.#byStatus.set(code, attributes);
    }
    return attributes;
  }
}
