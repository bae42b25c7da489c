import { realClock } from '../../src/clock.ts';
import {
  createHttpClient,
  createHttpServer,
  createMemoryNetwork,
  readBody,
  type Exchange,
  type Handler,
  type HttpClient,
} from '../../src/http/index.ts';

/** A scripted answer of a sink. */
export interface SinkAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly delayMs?: number;
  readonly dropConnection?: boolean;
}

export type Sinks = Readonly<Record<string, readonly SinkAnswer[]>>;

/** What a sink got, in the vectors' form. */
export interface SinkRequest {
  readonly to: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** Named servers and a client, on sockets or in memory. */
export interface World {
  readonly client: HttpClient;
  readonly requests: SinkRequest[];
  /** The headers of each request as they came, by lower-case name. */
  readonly requestHeaders: Record<string, string>[];
  /** Lets `handler` answer for `http://NAME`. */
  serve(name: string, handler: Handler): void;
  /** `undefined`: the connection broke. */
  send(name: string, request: VectorRequest): Promise<Answer | undefined>;
}

export interface VectorRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type TransportName = 'memory' | 'sockets';
export const transports: readonly TransportName[] = ['memory', 'sockets'];

/** Runs `use` in a world whose sinks answer by script; the last answer repeats. */
export async function withWorld<T>(transport: TransportName, sinks: Sinks, use: (world: World) => Promise<T>): Promise<T> {
  const handlers = new Map<string, Handler>();
  const requests: SinkRequest[] = [];
  const requestHeaders: Record<string, string>[] = [];
  for (const [name, script] of Object.entries(sinks))
    handlers.set(name, sinkHandler(name, [...script], requests, requestHeaders));
  const dispatch: Handler = (exchange) => {
    const handler = handlers.get(exchange.host.replace(/:.*/, ''));
    if (handler === undefined) exchange.destroy();
    else return handler(exchange);
  };
  await using transportOf = transport === 'memory' ? memoryTransport(dispatch) : await socketTransport(dispatch);
  const { client } = transportOf;
  return await use({
    client,
    requests,
    requestHeaders,
    serve: (name, handler) => void handlers.set(name, handler),
    send: (name, request) => send(client, name, request),
  });
}

function memoryTransport(handler: Handler): { readonly client: HttpClient } & AsyncDisposable {
  const { client } = createMemoryNetwork({ fallback: handler });
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

async function socketTransport(handler: Handler): Promise<{ readonly client: HttpClient } & AsyncDisposable> {
  const server = createHttpServer({ handler });
  const { host, port } = await server.listen();
  const client = createHttpClient({ resolve: () => `${host}:${port}` });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close(0);
    },
  };
}

function sinkHandler(
  name: string,
  script: SinkAnswer[],
  requests: SinkRequest[],
  requestHeaders: Record<string, string>[],
): Handler {
  return async (exchange) => {
    const answer = (script.length > 1 ? script.shift() : script[0]) ?? { status: 202 };
    const body = await readBody(exchange);
    const headers = headersOf(exchange.rawHeaders);
    requestHeaders.push(plainHeaders(exchange.rawHeaders));
    requests.push({ to: name, method: exchange.method, path: exchange.target, headers, body: bodyOf(body) });
    if (answer.delayMs !== undefined) await delay(answer.delayMs, exchange);
    if (answer.dropConnection === true) exchange.destroy();
    else exchange.respond(answer.status ?? 200, Object.entries(answer.headers ?? {}).flat(), answer.body ?? '');
  };
}

function delay(delayMs: number, exchange: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const timer = realClock.setTimer(delayMs, resolve);
    exchange.signal.addEventListener('abort', () => {
      timer[Symbol.dispose]();
      resolve();
    });
  });
}

async function send(client: HttpClient, name: string, request: VectorRequest): Promise<Answer | undefined> {
  const { method, path, headers, body } = request;
  try {
    const response = await client.request({
      method,
      url: `http://${name}${path}`,
      rawHeaders: Object.entries(headers).flatMap(([key, value]) => [key, latin1(value)]),
      ...(body === '' ? {} : { body }),
    });
    return { status: response.status, headers: headersOf(response.rawHeaders), body: bodyOf(await response.bytes()) };
  } catch {
    return undefined;
  }
}

/** As a UTF-8 header value goes over the wire and comes out of Node: one character per byte. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const leftOut = new Set([
  'content-length',
  'user-agent',
  'accept-encoding',
  'date',
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
]);

function plainHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers[(rawHeaders[at] ?? '').toLowerCase()] = rawHeaders[at + 1] ?? '';
  return headers;
}

/** Headers in the vectors' form: lower case, values that change replaced. */
export function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = Buffer.from(rawHeaders[at + 1] ?? '', 'latin1').toString('utf8');
    const shown = shownHeader(name, value);
    if (shown !== undefined) headers[name] = headers[name] === undefined ? shown : `${headers[name]}, ${shown}`;
  }
  return headers;
}

function shownHeader(name: string, value: string): string | undefined {
  if (leftOut.has(name)) return undefined;
  // Go's server guesses it where an answer has none.
  if (name === 'content-type' && value === 'text/plain; charset=utf-8') return undefined;
  if (name === 'ce-knativearrivaltime' && !Number.isNaN(Date.parse(value))) return '<arrival time>';
  if (name === 'traceparent' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(value)) return '<traceparent>';
  if (name === 'ce-knativeerrordata' && isDispatchError(value)) return '<dispatch error>';
  return value;
}

function isDispatchError(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('utf8').startsWith('dispatch error: ');
}

/** A body in the vectors' form, JSON parsed, what is not text in Base64. */
export function bodyOf(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  return shownBody(text.includes('\uFFFD') ? Buffer.from(bytes).toString('base64') : text);
}

function shownBody(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) =>
      (key === 'errresponsebody' || key === 'knativeerrordata') && typeof value === 'string' && isDispatchError(value)
        ? '<dispatch error>'
        : value,
    ) as unknown;
  } catch {
    return text;
  }
}

/** What a vector expects, in the same form. */
export function expectedRequests(requests: readonly Record<string, unknown>[]): unknown[] {
  return requests.map(({ to, method, path, headers, body }) => ({
    to,
    method,
    path,
    headers: expectedHeaders(headers as Record<string, string>),
    body: expectedBody(body as string),
  }));
}

export function expectedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => !(name === 'content-type' && value === 'text/plain; charset=utf-8'))
      .map(([name, value]) => [name, value.startsWith('base64 of: dispatch error') ? '<dispatch error>' : value]),
  );
}

export function expectedBody(body: string): unknown {
  try {
    return JSON.parse(body, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith('base64 of: dispatch error') ? '<dispatch error>' : value,
    ) as unknown;
  } catch {
    return body;
  }
}
