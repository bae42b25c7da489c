import { eventOrThrow, EventFault } from '../cloudevents/event-fault.ts';
import type { EventMessage } from '../cloudevents/event-message.ts';
import {
  decodeHttp,
  decodeHttpEvents,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  modeOfHeaders,
} from '../cloudevents/http-binding.ts';
import type { Clock } from '../clock.ts';
import { realClock } from '../clock.ts';
import type { CloudEvent } from '../functions/cloud-event.ts';
import { definitionOf } from '../functions/load-function.ts';
import { completeEvent } from '../functions/emit.ts';
import type { EventDraft } from '../functions/context.ts';
import { isFunctionDefinition, type Conventions, type FunctionDefinition } from '../functions/define-function.ts';
import { toHandlerEvent } from '../functions/event-codec.ts';
import { eventTemplates, type EventTemplateName } from '../functions/event-templates.ts';
import { createFunctionRuntime, type FunctionRuntimeOptions } from '../functions/function-runtime.ts';
import { createMemoryNetwork } from '../http/memory-network.ts';
import { rawHeadersFrom } from '../http/raw-headers.ts';
import { createLogger, type LogFields } from '../logger.ts';
import { createRandom } from '../random.ts';

/** A function as tests have it at hand: a definition, a bare handler, or a module with `handle`. */
export type FunctionUnderTest =
  | FunctionDefinition
  | ((context: never, argument: never) => unknown)
  | { readonly handle: (context: never, argument: never) => unknown };

export interface FunctionKitOptions extends Omit<FunctionRuntimeOptions, 'deliver' | 'logger'> {
  /** Conventions of a bare handler; default native. */
  readonly conventions?: Conventions;
}

/** A request in short: a body that is an object goes as JSON, text as text/plain, bytes as they are. */
export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What the function answered, read whole. */
export interface FunctionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
  /** The event or events of the answer; empty when it carries none. */
  readonly events: readonly CloudEvent[];
  /** The only event of the answer; `undefined` when it carries none or several. */
  readonly event: CloudEvent | undefined;
}

export interface LogLine {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

/** Calls a function without a socket. Dispose it (`await using`) to run its shutdown hook. */
export interface FunctionKit extends AsyncDisposable {
  request(request?: TestRequest | string): Promise<FunctionAnswer>;
  /** Sends an event, a template by name with changes, or several as a batch; id, source, time and specversion are filled in. */
  send(event: EventDraft | EventMessage | readonly EventDraft[], how?: SendOptions): Promise<FunctionAnswer>;
  sendTemplate(name: EventTemplateName, changes?: Partial<EventDraft>, how?: SendOptions): Promise<FunctionAnswer>;
  /** Events that the function gave to `context.emit`, in order. */
  readonly emitted: readonly CloudEvent[];
  readonly logs: readonly LogLine[];
  /** Makes the next `context.emit` fail with this error. */
  failNextEmit(error: Error): void;
  /** Waits for calls under way and background work, then runs the shutdown hook. */
  close(): Promise<void>;
}

export interface SendOptions {
  /** Default binary; a list of events is always a batch. */
  readonly mode?: 'binary' | 'structured';
  readonly headers?: Readonly<Record<string, string>>;
}

const origin = 'http://function.test';

/**
 * A function ready to be called in a test: `const kit = createFunctionKit(fn)`, `await kit.send({ type: 'order.placed', data })`,
 * `expect(kit.emitted)`. Its environment is only what the option `env` gives it (K_SINK is set), ids are the same in every run.
 */
export function createFunctionKit(fn: FunctionUnderTest, options: FunctionKitOptions = {}): FunctionKit {
  const emitted: CloudEvent[] = [];
  const logs: LogLine[] = [];
  const emitFailures: Error[] = [];
  const clock: Clock = options.clock ?? realClock;
  const random = options.random ?? createRandom(1);
  const runtime = createFunctionRuntime(toDefinition(fn, options.conventions ?? 'native'), {
    exposeErrors: true,
    ...options,
    clock,
    random,
    env: { K_SINK: 'http://sink.test', ...options.env },
    logger: createLogger((level, fields, message) => void logs.push({ level, fields, message }), 'trace'),
    deliver: (event) => {
      const failure = emitFailures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      emitted.push(toHandlerEvent(event, event.data()));
      return Promise.resolve();
    },
  });
  const { client } = createMemoryNetwork({ fallback: runtime.handler });

  const exchange = async (
    method: string,
    path: string,
    rawHeaders: readonly string[],
    body: Uint8Array | string | undefined,
  ): Promise<FunctionAnswer> => {
    const response = await client.request({
      method,
      url: `${origin}${path}`,
      rawHeaders,
      ...(body === undefined ? {} : { body }),
    });
    return toAnswer(response.status, response.rawHeaders, await response.bytes());
  };
  const complete = (event: EventDraft | EventMessage): EventMessage => completeEvent(event, { clock, random, source: '/test' });
  const send: FunctionKit['send'] = (event, how = {}) => {
    const encoded = isList(event)
      ? encodeBatch(event.map(complete))
      : how.mode === 'structured'
        ? encodeStructured(complete(event))
        : encodeBinary(complete(event));
    return exchange('POST', '/', [...encoded.rawHeaders, ...rawHeadersFrom(how.headers ?? {})], encoded.body);
  };
  const close = (): Promise<void> => runtime.close();
  return {
    emitted,
    logs,
    send,
    sendTemplate: (name, changes = {}, how = {}) => send({ ...eventTemplates[name], ...changes }, how),
    request(request = {}) {
      const { method, path = '/', headers = {}, body } = typeof request === 'string' ? { path: request, method: 'GET' } : request;
      const encoded = encodeBody(body, headers);
      return exchange(
        method ?? (body === undefined ? 'GET' : 'POST'),
        path,
        rawHeadersFrom({ ...encoded.headers, ...headers }),
        encoded.body,
      );
    },
    failNextEmit: (error) => void emitFailures.push(error),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isList(value: EventDraft | EventMessage | readonly EventDraft[]): value is readonly EventDraft[] {
  return Array.isArray(value);
}

function toDefinition(fn: FunctionUnderTest, conventions: Conventions): FunctionDefinition {
  if (isFunctionDefinition(fn)) return fn;
  return definitionOf(typeof fn === 'function' ? { handle: fn } : { ...fn }, conventions);
}

function encodeBody(
  body: unknown,
  given: Readonly<Record<string, string>>,
): { headers: Record<string, string>; body: Uint8Array | string | undefined } {
  if (body === undefined) return { headers: {}, body: undefined };
  const typed = Object.keys(given).some((name) => name.toLowerCase() === 'content-type');
  if (body instanceof Uint8Array) return { headers: typed ? {} : { 'content-type': 'application/octet-stream' }, body };
  if (typeof body === 'string') return { headers: typed ? {} : { 'content-type': 'text/plain' }, body };
  return { headers: typed ? {} : { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function toAnswer(status: number, rawHeaders: readonly string[], bytes: Uint8Array): FunctionAnswer {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const text = new TextDecoder().decode(bytes);
  const events = eventsOf(rawHeaders, bytes);
  return {
    status,
    headers,
    bytes,
    text,
    json: () => JSON.parse(text) as unknown,
    events,
    event: events.length === 1 ? events[0] : undefined,
  };
}

function eventsOf(rawHeaders: readonly string[], bytes: Uint8Array): CloudEvent[] {
  if (modeOfHeaders(rawHeaders) === undefined) return [];
  const body = bytes.byteLength === 0 ? undefined : bytes;
  const decoded =
    modeOfHeaders(rawHeaders) === 'batch' ? decodeHttpEvents(rawHeaders, body) : [eventOrThrow(decodeHttp(rawHeaders, body))];
  if (decoded instanceof EventFault) throw decoded.toError();
  return decoded.map((message) => toHandlerEvent(message, message.data()));
}
