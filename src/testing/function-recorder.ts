import type { BodyFlow, BodySink, Exchange, Handler } from '../http/exchange.ts';
import { createMemoryNetwork } from '../http/memory-network.ts';
import { PassingExchange } from '../http/passing-exchange.ts';
import { rawHeadersFrom } from '../http/raw-headers.ts';

/** A body in a recording: text where it is UTF-8, else Base64. */
export type RecordedBody = { readonly text: string } | { readonly base64: string };

/** One exchange as it was seen; the JSON form of the file. */
export interface RecordedExchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: RecordedBody;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: RecordedBody;
  };
}

/** Writes down what passes through handlers. */
export interface ExchangeRecorder {
  /** The same handler, recorded; wrap the one of a runtime and give it to a server or gateway. */
  record(handler: Handler): Handler;
  /** What was seen so far, in the order of completion. */
  readonly exchanges: readonly RecordedExchange[];
}

/** Header names, in lower case, that recordings leave out: credentials, and what differs from run to run. */
const leftOut: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'date',
  'connection',
  'keep-alive',
  'host',
  'content-length',
]);

/** Keeps the exchanges of real traffic for later tests; at most `exchangesMax` (default 1000), then the oldest go. */
export function createExchangeRecorder(exchangesMax = 1_000): ExchangeRecorder {
  const exchanges: RecordedExchange[] = [];
  return {
    exchanges,
    record: (handler) => (exchange) =>
      handler(
        new RecordingExchange(exchange, (recorded) => {
          exchanges.push(recorded);
          if (exchanges.length > exchangesMax) exchanges.shift();
        }),
      ),
  };
}

/** One difference between a recording and what a handler answers now. */
export interface ReplayDifference {
  readonly request: string;
  readonly what: 'status' | 'content-type' | 'body';
  readonly recorded: unknown;
  readonly now: unknown;
}

export interface ReplayExchangesOptions {
  /** JSON pointers into JSON bodies whose values differ from call to call, such as `/id`. */
  readonly ignore?: readonly string[];
}

/** Sends the recorded requests to a handler, in process, and compares status, content type and body. Empty when nothing changed. */
export async function replayExchanges(
  handler: Handler,
  exchanges: readonly RecordedExchange[],
  options: ReplayExchangesOptions = {},
): Promise<ReplayDifference[]> {
  const { client } = createMemoryNetwork({ fallback: handler });
  const differences: ReplayDifference[] = [];
  for (const { request, response } of exchanges) {
    const body = request.body === undefined ? undefined : bytesOf(request.body);
    const answer = await client.request({
      method: request.method,
      url: `http://function.test${request.path}`,
      rawHeaders: rawHeadersFrom(request.headers),
      ...(body === undefined ? {} : { body }),
    });
    const bytes = await answer.bytes();
    const name = `${request.method} ${request.path}`;
    const compare = (what: ReplayDifference['what'], recorded: unknown, now: unknown): void => {
      if (JSON.stringify(recorded) !== JSON.stringify(now)) differences.push({ request: name, what, recorded, now });
    };
    compare('status', response.status, answer.status);
    compare('content-type', response.headers['content-type'], answer.header('content-type'));
    const ignored = options.ignore ?? [];
    compare(
      'body',
      comparable(response.body === undefined ? Buffer.alloc(0) : bytesOf(response.body), ignored),
      comparable(bytes, ignored),
    );
  }
  return differences;
}

function bytesOf(body: RecordedBody): Buffer {
  return 'text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64');
}

function bodyOf(chunks: readonly Uint8Array[]): { body?: RecordedBody } {
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return {};
  const text = bytes.toString('utf8');
  return { body: Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') } };
}

function comparable(bytes: Uint8Array, ignore: readonly string[]): unknown {
  const text = Buffer.from(bytes).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Buffer.from(text).equals(bytes) ? text : Buffer.from(bytes).toString('base64');
  }
  for (const pointer of ignore) remove(value, pointer.split('/').slice(1));
  return sorted(value);
}

function remove(value: unknown, path: readonly string[]): void {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return;
  if (rest.length === 0) Reflect.deleteProperty(value, step);
  else remove((value as Record<string, unknown>)[step], rest);
}

// Key order is no difference.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  );
}

function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!leftOut.has(name))
      headers[name] = headers[name] === undefined ? (rawHeaders[i + 1] ?? '') : `${headers[name]}, ${rawHeaders[i + 1] ?? ''}`;
  }
  return headers;
}

/** An exchange that is watched on its way through. */
class RecordingExchange extends PassingExchange {
  readonly #sent: Uint8Array[] = [];
  readonly #received: Uint8Array[] = [];
  #status = 0;
  #head: readonly string[] = [];

  constructor(inner: Exchange, done: (recorded: RecordedExchange) => void) {
    super(inner);
    inner.onFinished((error) => {
      if (error !== undefined || this.#status === 0) return;
      done({
        request: { method: inner.method, path: inner.target, headers: headersOf(inner.rawHeaders), ...bodyOf(this.#received) },
        response: { status: this.#status, headers: headersOf(this.#head), ...bodyOf(this.#sent) },
      });
    });
  }

  override receive(sink: BodySink): BodyFlow {
    return this.inner.receive({
      data: (chunk) => {
        this.#received.push(chunk.slice());
        return sink.data(chunk);
      },
      end: (rawTrailers) => sink.end(rawTrailers),
      error: (error) => sink.error(error),
    });
  }
  override writeHead(status: number, rawHeaders: readonly string[] = []): void {
    this.#note(status, rawHeaders);
    this.inner.writeHead(status, rawHeaders);
  }
  override write(chunk: Uint8Array): boolean {
    this.#sent.push(chunk.slice());
    return this.inner.write(chunk);
  }
  override end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void {
    if (chunk !== undefined) this.#sent.push(Buffer.from(chunk as string));
    if (this.#status === 0) this.#note(200, []);
    this.inner.end(chunk, rawTrailers);
  }
  override respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    this.#note(status, rawHeaders);
    if (body !== undefined) this.#sent.push(Buffer.from(body as string));
    this.inner.respond(status, rawHeaders, body);
  }

  #note(status: number, rawHeaders: readonly string[]): void {
    this.#status = status;
    this.#head = rawHeaders;
  }
}
