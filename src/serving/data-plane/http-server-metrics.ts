import { requestAttributes, type Exchange } from '../../http/index.ts';
import { sizeBoundsBytes, type Attributes, type Histogram, type Meter } from '../../telemetry/meter.ts';

/** Sets of attributes that are kept; a client that makes up methods and hosts does not fill the memory. */
const setsMax = 1_000;

/**
 * `http.server.*` of OpenTelemetry's semantic conventions with the labels of a revision, as upstream's activator has them by otelhttp.
 * Sizes are those that the head announces for requests, and bytes sent for responses.
 */
export class HttpServerMetrics {
  readonly #labels: Attributes;
  readonly #duration: Histogram;
  readonly #requestSize: Histogram;
  readonly #responseSize: Histogram;
  readonly #sets = new Map<string, Attributes>();

  constructor(meter: Meter, labels: Attributes) {
    this.#labels = labels;
    this.#duration = meter.histogram('http.server.request.duration', {
      unit: 's',
      description: 'Time from arrival to the end of the response',
    });
    const sizeOf = (what: 'request' | 'response'): Histogram =>
      meter.histogram(`http.server.${what}.body.size`, {
        unit: 'By',
        description: `Size of ${what} bodies`,
        boundaries: sizeBoundsBytes,
      });
    this.#requestSize = sizeOf('request');
    this.#responseSize = sizeOf('response');
  }

  record(exchange: Exchange, status: number, bytesSent: number, durationMs: number): void {
    const attributes = this.#attributes(exchange, status);
    this.#duration.record(durationMs / 1000, attributes);
    const announced = exchange.header('content-length');
    if (announced !== undefined || !exchange.hasBody) this.#requestSize.record(Number(announced ?? 0), attributes);
    this.#responseSize.record(bytesSent, attributes);
  }

  #attributes(exchange: Exchange, status: number): Attributes {
    const { method, host, scheme, httpVersion } = exchange;
    const key = `${status} ${method} ${scheme} ${httpVersion} ${host}`;
    let attributes = this.#sets.get(key);
    if (attributes === undefined) {
      if (this.#sets.size >= setsMax) this.#sets.clear();
      attributes = {
        ...this.#labels,
        ...requestAttributes(exchange),
        'network.protocol.name': 'http',
        'url.scheme': scheme,
        'http.response.status_code': status,
      };
      this.#sets.set(key, attributes);
    }
    return attributes;
  }
}
