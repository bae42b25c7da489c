import { headerValue, requestAttributes, type Exchange } from '../../http/index.ts';
import { sizeBoundsBytes, type Attributes, type Histogram, type Meter } from '../../telemetry/meter.ts';
import type { MeasuredRequest } from './invocation-metrics.ts';

/** Sets of attributes that are kept; a client that makes up hosts does not fill the memory. */
const setsMax = 1_000;
/** Of them looked through before a key is made. */
const recentMax = 8;

/** What tells one set of attributes from another, and the set. */
interface Kind {
  readonly status: number;
  readonly method: string;
  readonly scheme: string;
  readonly httpVersion: string;
  readonly host: string;
  readonly tag: string;
  readonly attributes: Attributes;
}

/**
 * `http.server.*` of OpenTelemetry's semantic conventions, as upstream's activator and queue-proxy have them by otelhttp, with the
 * labels of a revision from the one and `kn.route.tag` from the other. The size of a request is what its head announces; one that
 * announces none is left out.
 */
export class HttpServerMetrics {
  readonly #labels: Attributes;
  readonly #duration: Histogram;
  readonly #requestSize: Histogram;
  readonly #responseSize: Histogram;
  readonly #sets = new Map<string, Attributes>();
  readonly #recent: Kind[] = [];
  #next = 0;

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

  record({ inner, rawHeaders, bytesSent, arrivedMs }: MeasuredRequest, status: number, nowMs: number): void {
    const attributes = this.#attributes(inner, status, routeTag(rawHeaders));
    this.#duration.record((nowMs - arrivedMs) / 1_000, attributes);
    const announced = inner.hasBody ? inner.header('content-length') : '0';
    if (announced !== undefined) this.#requestSize.record(Number(announced), attributes);
    this.#responseSize.record(bytesSent, attributes);
  }

  #attributes(exchange: Exchange, status: number, tag: string): Attributes {
    const { method, host, scheme, httpVersion } = exchange;
    // Most requests are like one of the few before; making a key for the others costs a microsecond.
    for (const kind of this.#recent) {
      if (
        kind.status === status &&
        kind.method === method &&
        kind.tag === tag &&
        kind.httpVersion === httpVersion &&
        kind.scheme === scheme &&
        kind.host === host
      ) {
        return kind.attributes;
      }
    }
    const key = `${status} ${method} ${scheme} ${httpVersion} ${host} ${tag}`;
    let attributes = this.#sets.get(key);
    if (attributes === undefined) {
      if (this.#sets.size >= setsMax) this.#sets.clear();
      attributes = {
        ...this.#labels,
        ...requestAttributes(exchange),
        'network.protocol.name': 'http',
        'url.scheme': scheme,
        'http.response.status_code': status,
        'kn.route.tag': tag,
      };
      this.#sets.set(key, attributes);
    }
    this.#recent[this.#next++ % recentMax] = { status, method, scheme, httpVersion, host, tag, attributes };
    return attributes;
  }
}

/** By which tag of its Route a request came. Source: knative/serving pkg/queue/routetag_handler.go. */
function routeTag(rawHeaders: readonly string[]): string {
  const tag = headerValue(rawHeaders, 'knative-serving-tag') ?? '';
  const isDefault = headerValue(rawHeaders, 'knative-serving-default-route') ?? '';
  if (tag === '') return isDefault === '' ? 'kn:disabled' : 'kn:default';
  return isDefault === 'true' ? 'kn:undefined' : tag;
}
