import type { Clock } from '../clock.ts';
import { sleep } from '../clock.ts';
import { durationMs, type Duration } from '../duration.ts';
import type { Exchange } from '../http/exchange.ts';
import { randomUuid, type Random } from '../random.ts';
import type { CloudEvent, CloudEventFields } from './cloud-event.ts';
import { EventReply } from './event-reply.ts';
import type { FunctionLog } from './log.ts';
import type { Logger } from '../logger.ts';
import { parseQuery, type Query } from './query.ts';

/** Environment variables as a function sees them: its own, never read from the process behind its back. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What hooks get. */
export interface StartContext {
  readonly env: Environment;
  readonly log: FunctionLog;
  readonly clock: Clock;
}

/** Trace headers of W3C Trace Context as received. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** One call: the request, and what the function may do besides answering. */
export interface FunctionContext<Body = unknown> extends StartContext {
  readonly method: string;
  /** Decoded path without the query. */
  readonly path: string;
  /** Lower-case names; several values of a name joined with ', ' (`set-cookie` aside, which requests do not have). */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly contentType: string | undefined;
  readonly httpVersion: string;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  /** The parsed body: JSON value, text, form fields or bytes, by content type; `undefined` when there is none. */
  readonly body: Body;
  /** The body as received. */
  readonly rawBody: Uint8Array | string | undefined;
  /** The event, when the request carries one. */
  readonly event: CloudEvent | undefined;
  readonly cloudevent: CloudEvent | undefined;
  readonly trace: TraceContext | undefined;
  /** Aborts when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal;
  /** Wall-clock milliseconds at which the call is given up; `undefined` without the `timeout` option. */
  readonly deadlineMs: number | undefined;
  /** Waits on the function's clock; rejects when the call is aborted. */
  sleep(duration: Duration): Promise<void>;
  /** Work that goes on after the answer: shutdown waits for it, a failure is logged. */
  waitUntil(work: Promise<unknown>): void;
  /** Sends an event to K_SINK with K_CE_OVERRIDES applied; resolves when the sink has accepted it. Missing id, source and time are filled in. */
  emit(event: EventDraft): Promise<void>;
  /** Builds the event to answer with. */
  cloudEventResponse(data?: unknown): EventReply;
}

/** The context of an event function. */
export interface EventContext<Data = unknown> extends FunctionContext {
  readonly event: CloudEvent<Data>;
  readonly cloudevent: CloudEvent<Data>;
}

/** An event to be sent: what is missing of id, source, time and specversion is filled in. */
export type EventDraft = Partial<CloudEventFields> & { readonly type: string };

/** What the calls of one function share. */
export interface CallEnvironment {
  readonly name: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly log: FunctionLog;
  readonly timeoutMs: number | undefined;
  readonly emit: (event: EventDraft, context: FunctionContext) => Promise<void>;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** The context object of one call. Everything that costs something is made on first use. */
export class CallContext implements FunctionContext {
  readonly method: string;
  body: unknown;
  bytes: Uint8Array | undefined;
  event: CloudEvent | undefined;
  deadlineMs: number | undefined;
  protected readonly exchange: Exchange;
  protected readonly shared: CallEnvironment;
  #headers: Record<string, string> | undefined;
  #query: Query | undefined;
  #timedOut: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(exchange: Exchange, shared: CallEnvironment) {
    this.method = exchange.method;
    this.body = undefined;
    this.bytes = undefined;
    this.event = undefined;
    this.deadlineMs = undefined;
    this.exchange = exchange;
    this.shared = shared;
  }

  get cloudevent(): CloudEvent | undefined {
    return this.event;
  }
  get rawBody(): Uint8Array | string | undefined {
    return this.bytes;
  }
  get env(): Environment {
    return this.shared.env;
  }
  get log(): FunctionLog {
    return this.shared.log;
  }
  get clock(): Clock {
    return this.shared.clock;
  }
  get path(): string {
    return pathOf(this.exchange.target);
  }
  get query(): Query {
    this.#query ??= parseQuery(this.exchange.target);
    return this.#query;
  }
  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= headerObject(this.exchange.rawHeaders);
    return this.#headers;
  }
  get contentType(): string | undefined {
    return this.exchange.header('content-type');
  }
  get httpVersion(): string {
    return this.exchange.httpVersion;
  }
  get httpVersionMajor(): number {
    return Number(this.exchange.httpVersion[0]);
  }
  get httpVersionMinor(): number {
    return Number(this.exchange.httpVersion[2]);
  }
  get trace(): TraceContext | undefined {
    const traceparent = this.exchange.header('traceparent');
    if (traceparent === undefined) return undefined;
    const tracestate = this.exchange.header('tracestate');
    return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  }
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#timedOut = new AbortController();
      this.#signal = AbortSignal.any([this.exchange.signal, this.#timedOut.signal]);
    }
    return this.#signal;
  }

  /** Aborts the signal for a reason of the server's: the deadline. */
  abort(reason: Error): void {
    void this.signal;
    this.#timedOut?.abort(reason);
  }

  sleep(duration: Duration): Promise<void> {
    return sleep(this.shared.clock, durationMs(duration, 'duration'), this.signal);
  }
  waitUntil(work: Promise<unknown>): void {
    this.shared.waitUntil(work);
  }
  emit(event: EventDraft): Promise<void> {
    return this.shared.emit(event, this);
  }
  cloudEventResponse(data?: unknown): EventReply {
    return new EventReply(data, {
      id: randomUuid(this.shared.random),
      source: `/${this.shared.name}`,
      time: new Date(this.shared.clock.now()).toISOString(),
    });
  }
}

/** The path of a request target, percent escapes decoded where they are valid. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function headerObject(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (name === '__proto__') continue;
    const value = rawHeaders[i + 1] ?? '';
    const earlier = headers[name];
    if (typeof earlier !== 'string') headers[name] = value;
    // node:http keeps the first of headers that may occur once only.
    else if (!singleHeaders.has(name)) headers[name] = `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

const singleHeaders: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);
