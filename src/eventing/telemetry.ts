import type { EventMessage } from '../cloudevents/event-message.ts';
import { realClock, type Clock } from '../clock.ts';
import type { Exchange } from '../http/exchange.ts';
import { addressAttributes, headerValue, requestAttributes } from '../http/index.ts';
import {
  createTracer,
  formatTraceparent,
  noopMeter,
  parseTraceparent,
  sizeBoundsBytes,
  type Histogram,
  type Meter,
  type Span,
  type TraceContext,
  type Tracer,
} from '../telemetry/index.ts';
import type { DeliveryJob } from './delivery-job.ts';
import type { DeliveryObserver, HopObserver, ObservedHop, ObservedSend, SendObserver } from './observe.ts';

export interface EventingTelemetryOptions {
  readonly meter?: Meter | undefined;
  /** Default: spans are not exported, but every request carries a trace, as upstream's do. */
  readonly tracer?: Tracer | undefined;
  readonly clock?: Clock;
}

export interface HopOptions extends EventingTelemetryOptions {
  readonly component: 'ingress' | 'filter';
  /** The broker of a trigger, for the filter. */
  readonly brokerOf?: (namespace: string, trigger: string) => string | undefined;
  /** What the ingress sends to, for its metrics; default the broker itself. */
  readonly destinationOf?: (namespace: string, broker: string) => string;
}

type Labels = Record<string, string | number | boolean>;

/** Upstream's histograms; sizes in bytes, durations in seconds. */
interface Instruments {
  readonly dispatch: Histogram;
  readonly process: Histogram;
  readonly serverDuration: Histogram;
  readonly serverRequestSize: Histogram;
  readonly serverResponseSize: Histogram;
  readonly clientDuration: Histogram;
  readonly clientRequestSize: Histogram;
}

function instrumentsOf(meter: Meter): Instruments {
  const seconds = (name: string): Histogram => meter.histogram(name, { unit: 's' });
  const bytes = (name: string): Histogram => meter.histogram(name, { unit: 'By', boundaries: sizeBoundsBytes });
  return {
    dispatch: seconds('kn.eventing.dispatch.duration'),
    process: seconds('kn.eventing.process.duration'),
    serverDuration: seconds('http.server.request.duration'),
    serverRequestSize: bytes('http.server.request.body.size'),
    serverResponseSize: bytes('http.server.response.body.size'),
    clientDuration: seconds('http.client.request.duration'),
    clientRequestSize: bytes('http.client.request.body.size'),
  };
}

/** Spans and metrics of an ingress or a filter with upstream's names. */
export function observeHops(options: HopOptions): HopObserver {
  const clock = options.clock ?? realClock;
  const instruments = instrumentsOf(options.meter ?? noopMeter);
  const tracer = options.tracer ?? createTracer({ export: () => undefined, clock });
  return { begin: (exchange) => new Hop(exchange, options, instruments, tracer, clock) };
}

function labelsOf(event: EventMessage, broker: string, namespace: string, destination: string): Labels {
  return {
    'kn.broker.name': broker,
    'kn.broker.namespace': namespace,
    'messaging.system': 'knative',
    'messaging.destination.name': destination,
    'messaging.operation.name': 'send',
    'url.scheme': 'http',
    'cloudevents.type': event.type,
    'cloudevents.source': event.source,
    'cloudevents.specversion': event.specversion,
    ...(event.datacontenttype === undefined ? {} : { 'cloudevents.datacontenttype': event.datacontenttype }),
  };
}

class Hop implements ObservedHop {
  readonly #exchange: Exchange;
  readonly #options: HopOptions;
  readonly #instruments: Instruments;
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  readonly #beganMs: number;
  readonly #server: Span;
  #component: Span | undefined;
  #labels: Labels = {};

  constructor(exchange: Exchange, options: HopOptions, instruments: Instruments, tracer: Tracer, clock: Clock) {
    this.#exchange = exchange;
    this.#options = options;
    this.#instruments = instruments;
    this.#tracer = tracer;
    this.#clock = clock;
    this.#beganMs = clock.monotonic();
    const path = exchange.target.replace(/\?.*/, '');
    this.#server = tracer.start(`${exchange.method} ${path}`, {
      kind: 'server',
      parent: parseTraceparent(exchange.header('traceparent'), exchange.header('tracestate')),
      attributes: {
        ...requestAttributes(exchange),
        'url.path': path,
        'url.scheme': exchange.scheme,
        ...(exchange.remoteAddress === ''
          ? {}
          : { 'client.address': exchange.remoteAddress, 'network.peer.address': exchange.remoteAddress }),
        ...optional('user_agent.original', exchange.header('user-agent')),
        ...(sizeOf(exchange) > 0 ? { 'http.request.body.size': sizeOf(exchange) } : {}),
      },
    });
  }

  event(event: EventMessage, namespace: string, name: string): void {
    const { component, brokerOf, destinationOf } = this.#options;
    const isIngress = component === 'ingress';
    const span = isIngress ? `broker:${name}.${namespace}` : `trigger:${name}.${namespace}`;
    const broker = isIngress ? name : (brokerOf?.(namespace, name) ?? '');
    this.#labels = labelsOf(event, broker, namespace, isIngress ? (destinationOf?.(namespace, name) ?? span) : span);
    this.#component = this.#tracer.start(span, { parent: this.#server.context, attributes: this.#labels });
  }

  travelling(rawHeaders: readonly string[]): readonly string[] {
    const kept = rawHeaders.filter((_, at) => !/^trace(?:parent|state)$/i.test(rawHeaders[at - (at % 2)] ?? ''));
    return [...kept, ...traceHeaders((this.#component ?? this.#server).context, undefined)];
  }

  readonly sends: SendObserver = {
    start: (url, event, bodyBytes) => {
      if (this.#options.component === 'filter') {
        const {
          'cloudevents.source': _,
          'cloudevents.specversion': __,
          'cloudevents.datacontenttype': ___,
          ...labels
        } = this.#labels;
        this.#instruments.process.record((this.#clock.monotonic() - this.#beganMs) / 1_000, labels);
      }
      const parent = (this.#component ?? this.#server).context;
      const baggage = this.#exchange.header('baggage');
      return new Send(
        url,
        event,
        bodyBytes,
        parent,
        baggage,
        this.#labels,
        this.#instruments,
        this.#tracer,
        this.#clock,
        (status) => this.#dispatched(status),
      );
    },
  };

  /** The status of the dispatch belongs to the component's labels; upstream's ingress leaves it out when the dispatch failed. */
  #dispatched(status: number | undefined): number | undefined {
    const counts = status !== undefined && (this.#options.component === 'filter' || (status >= 200 && status <= 299));
    if (!counts) return undefined;
    this.#component?.set({ 'http.response.status_code': status });
    return status;
  }

  end(status: number, bodyBytes: number): void {
    const { serverDuration, serverRequestSize, serverResponseSize } = this.#instruments;
    const labels = {
      ...this.#labels,
      ...requestAttributes(this.#exchange),
      ...protocol,
      'http.response.status_code': status,
      'url.scheme': this.#exchange.scheme,
    };
    serverDuration.record((this.#clock.monotonic() - this.#beganMs) / 1_000, labels);
    serverRequestSize.record(sizeOf(this.#exchange), labels);
    serverResponseSize.record(bodyBytes, labels);
    this.#component?.end();
    this.#server.set({ 'http.response.status_code': status, ...(bodyBytes > 0 ? { 'http.response.body.size': bodyBytes } : {}) });
    this.#server.end(status >= 500 ? new Error(`answered ${status}`) : undefined);
  }
}

const protocol = { 'network.protocol.name': 'http' };

function sizeOf(exchange: Exchange): number {
  return Number(exchange.header('content-length') ?? 0);
}

function optional(name: string, value: string | undefined): Labels {
  return value === undefined ? {} : { [name]: value };
}

/** What a request carries of its trace. */
function traceHeaders(context: TraceContext, baggage: string | undefined): string[] {
  const headers = ['traceparent', formatTraceparent(context)];
  if (context.traceState !== undefined) headers.push('tracestate', context.traceState);
  if (baggage !== undefined) headers.push('baggage', baggage);
  return headers;
}

class Send implements ObservedSend {
  readonly rawHeaders: readonly string[];
  readonly #send: Span;
  readonly #client: Span;
  readonly #beganMs: number;
  readonly #bodyBytes: number;
  readonly #labels: Labels;
  readonly #instruments: Instruments;
  readonly #clock: Clock;
  readonly #address: Labels;
  readonly #dispatched: (status: number | undefined) => number | undefined;

  constructor(
    url: string,
    _event: EventMessage,
    bodyBytes: number,
    parent: TraceContext,
    baggage: string | undefined,
    labels: Labels,
    instruments: Instruments,
    tracer: Tracer,
    clock: Clock,
    dispatched: (status: number | undefined) => number | undefined,
  ) {
    const { pathname, host } = new URL(url);
    this.#beganMs = clock.monotonic();
    this.#bodyBytes = bodyBytes;
    this.#labels = labels;
    this.#instruments = instruments;
    this.#clock = clock;
    this.#dispatched = dispatched;
    this.#address = addressAttributes(host);
    this.#send = tracer.start(`send ${url}`, { parent, attributes: labels });
    this.#client = tracer.start(`POST ${pathname}`, {
      kind: 'client',
      parent: this.#send.context,
      attributes: { 'http.request.method': 'POST', 'network.protocol.version': '1.1', 'url.full': url, ...this.#address },
    });
    this.rawHeaders = traceHeaders(this.#client.context, baggage);
  }

  end(status: number | undefined, error: Uint8Array | string | undefined): void {
    const seconds = (this.#clock.monotonic() - this.#beganMs) / 1_000;
    const answered: Labels = status === undefined ? {} : { 'http.response.status_code': status };
    const labels = {
      ...this.#labels,
      ...this.#address,
      ...protocol,
      'http.request.method': 'POST',
      'network.protocol.version': '1.1',
      ...answered,
    };
    this.#instruments.clientDuration.record(seconds, labels);
    this.#instruments.clientRequestSize.record(this.#bodyBytes, labels);
    const counted = this.#dispatched(status);
    if (counted !== undefined) {
      this.#instruments.dispatch.record(seconds, { ...this.#labels, 'http.response.status_code': counted });
    }
    const failed = status === undefined || status >= 400;
    this.#client.set({ ...answered, ...(failed ? { 'error.type': status === undefined ? '_OTHER' : String(status) } : {}) });
    this.#client.end(failed ? new Error(typeof error === 'string' ? error : `answered ${status ?? 'nothing'}`) : undefined);
    this.#send.end();
  }
}

/** Spans and metrics of a broker's deliveries, as upstream's filter reports them, below the trace that came with the event. */
export function observeTriggers(
  options: EventingTelemetryOptions & { readonly name: string; readonly namespace: string },
  next: DeliveryObserver | undefined,
): DeliveryObserver | undefined {
  if (options.meter === undefined && options.tracer === undefined) return next;
  const clock = options.clock ?? realClock;
  const instruments = instrumentsOf(options.meter ?? noopMeter);
  const tracer = options.tracer ?? createTracer({ export: () => undefined, clock });
  const open = new Map<DeliveryJob, { readonly span: Span; readonly labels: Labels; readonly beganMs: number }>();

  function start(job: DeliveryJob): Span {
    // Triggers of a host are named NAMESPACE/NAME.
    const slash = job.trigger.indexOf('/');
    const namespace = slash < 0 ? options.namespace : job.trigger.slice(0, slash);
    const span = `trigger:${job.trigger.slice(slash + 1)}.${namespace}`;
    const labels = labelsOf(job.event, options.name, options.namespace, span);
    const { rawHeaders } = job.delivery;
    const parent = parseTraceparent(headerValue(rawHeaders, 'traceparent'), headerValue(rawHeaders, 'tracestate'));
    const component = tracer.start(span, { kind: 'consumer', parent, attributes: { ...labels, attempt: job.attempt } });
    open.set(job, { span: component, labels, beganMs: clock.monotonic() });
    const waitedMs = Math.max(0, clock.now() - job.delivery.timeMs);
    const { 'cloudevents.source': _, 'cloudevents.specversion': __, 'cloudevents.datacontenttype': ___, ...brief } = labels;
    if (job.attempt === 1) instruments.process.record(waitedMs / 1_000, brief);
    return component;
  }

  return {
    begin(job) {
      next?.begin(job);
      start(job);
    },
    sends(job) {
      next?.sends(job);
      const parent = open.get(job)?.span ?? start(job);
      const baggage = headerValue(job.delivery.rawHeaders, 'baggage');
      const labels = open.get(job)?.labels ?? {};
      return {
        start: (url, event, bodyBytes) =>
          new Send(url, event, bodyBytes, parent.context, baggage, labels, instruments, tracer, clock, () => undefined),
      };
    },
    end(job, status, error) {
      next?.end(job, status, error);
      const entry = open.get(job);
      if (entry === undefined) return;
      open.delete(job);
      const seconds = (clock.monotonic() - entry.beganMs) / 1_000;
      instruments.dispatch.record(seconds, { ...entry.labels, 'http.response.status_code': status });
      entry.span.set({ 'http.response.status_code': status });
      entry.span.end(status >= 200 && status <= 299 ? undefined : (error ?? new Error(`answered ${status}`)));
    },
    deadLetter: (job, status) => next?.deadLetter(job, status),
    parked: (job, reason) => next?.parked(job, reason),
  };
}
