import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { KnativeError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { respondText } from './handle.ts';
import type { Unseen } from './http1-connection.ts';
import { http2Headers } from './http2-headers.ts';

/** Streams on one connection before another one is opened; what most servers allow. */
const streamsMax = 100;
const cancel = 8;
const refused = 7;
const endStreamFlag = 1;

/** Passes exchanges on over HTTP/2 with prior knowledge: gRPC and whatever else needs it. */
export class Http2Upstream {
  readonly #sessions = new Map<string, PooledSession[]>();
  #closed = false;

  forward(exchange: Exchange, address: string, unseen: Unseen): void {
    const session = this.#sessions.get(address)?.find((item) => item.streams < streamsMax) ?? this.#connect(address);
    session.start(exchange, unseen);
  }

  close(): void {
    this.#closed = true;
    for (const sessions of this.#sessions.values()) for (const item of [...sessions]) item.session.destroy();
    this.#sessions.clear();
  }

  #connect(address: string): PooledSession {
    if (this.#closed) throw new KnativeError('HTTP_CLIENT_CLOSED', 'the upstream has been closed');
    const { connect } = process.getBuiltinModule('node:http2');
    const item = new PooledSession(connect(`http://${address}`, { settings: { enablePush: false } }), address, () => {
      const left = this.#sessions.get(address)?.filter((other) => other !== item) ?? [];
      if (left.length === 0) this.#sessions.delete(address);
      else this.#sessions.set(address, left);
    });
    this.#sessions.set(address, [...(this.#sessions.get(address) ?? []), item]);
    return item;
  }
}

class PooledSession {
  readonly session: ClientHttp2Session;
  readonly #address: string;
  readonly #waiting: (() => void)[] = [];
  #connected = false;
  #failure: Error | undefined;
  streams = 0;

  constructor(session: ClientHttp2Session, address: string, gone: () => void) {
    this.session = session;
    this.#address = address;
    session.on('connect', () => {
      this.#connected = true;
      session.unref();
      this.#flush();
    });
    session.on('error', (error: Error) => (this.#failure ??= error));
    session.on('goaway', gone);
    session.on('close', () => {
      gone();
      this.#flush();
    });
  }

  /** The body is taken only once the connection stands, so that a refused one leaves the exchange untouched. */
  start(exchange: Exchange, unseen: Unseen): void {
    this.streams++;
    if (this.#connected) this.#send(exchange, unseen);
    else this.#waiting.push(() => this.#send(exchange, unseen));
  }

  #flush(): void {
    for (const run of this.#waiting.splice(0)) run();
  }

  #send(exchange: Exchange, unseen: Unseen): void {
    const { session } = this;
    if (session.closed || session.destroyed) {
      this.streams--;
      unseen(this.#unreachable());
      return;
    }
    const hasBody = exchange.hasBody;
    session.ref();
    const stream = session.request(
      {
        ...http2Headers(exchange.rawHeaders),
        ':method': exchange.method,
        ':path': exchange.target,
        ':authority': exchange.host === '' ? this.#address : exchange.host,
        ':scheme': 'http',
      },
      { endStream: !hasBody, waitForTrailers: hasBody },
    );
    stream.on('close', () => {
      this.streams--;
      if (this.streams === 0) session.unref();
    });
    exchange.onFinished((error) => {
      if (error !== undefined && !stream.closed) stream.close(cancel);
    });
    if (hasBody) sendBody(exchange, stream);
    receiveResponse(exchange, stream, (error) => {
      if (stream.rstCode === refused && !hasBody) unseen(this.#unreachable());
      else if (exchange.headSent) exchange.destroy(error);
      else respondText(exchange, 502, error.message);
    });
  }

  #unreachable(): KnativeError {
    const code = this.#failure !== undefined && 'code' in this.#failure ? String(this.#failure.code) : '';
    const reason = code === 'ECONNREFUSED' ? 'connection refused' : (this.#failure?.message ?? 'connection closed');
    return new KnativeError('HTTP_UNREACHABLE', `dial tcp ${this.#address}: connect: ${reason}`, { status: 502 });
  }
}

function sendBody(exchange: Exchange, stream: ClientHttp2Stream): void {
  let trailers: readonly string[] = [];
  stream.on('wantTrailers', () => stream.sendTrailers(http2Headers(trailers)));
  const flow = exchange.receive({
    data: (chunk) => (stream.destroyed || stream.writableEnded ? true : stream.write(chunk)),
    end(rawTrailers = []) {
      trailers = rawTrailers;
      if (!stream.destroyed) stream.end();
    },
    error: () => stream.close(cancel),
  });
  stream.on('drain', () => flow.resume());
}

function receiveResponse(exchange: Exchange, stream: ClientHttp2Stream, fail: (error: Error) => void): void {
  let status = 0;
  let over = false;
  let failure: Error | undefined;
  let rawTrailers: readonly string[] = [];
  stream.on('headers', (headers: Record<string, unknown>, _flags: number, raw: readonly string[]) => {
    exchange.writeInformational(Number(headers[':status']), plainHeaders(raw));
  });
  stream.on('response', (headers: Record<string, unknown>, flags: number, raw: readonly string[]) => {
    status = Number(headers[':status']);
    if ((flags & endStreamFlag) === 0) {
      exchange.writeHead(status, plainHeaders(raw));
      return;
    }
    // An answer that is a head only must stay one: gRPC clients look for their status there.
    over = true;
    exchange.respond(status, plainHeaders(raw));
  });
  stream.on('trailers', (_headers: unknown, _flags: number, raw: readonly string[]) => (rawTrailers = plainHeaders(raw)));
  stream.on('data', (chunk: Uint8Array) => {
    if (exchange.write(chunk)) return;
    stream.pause();
    exchange.onDrain(() => stream.resume());
  });
  stream.on('end', () => {
    // An aborted stream ends too; its close tells.
    if (over || stream.rstCode !== 0 || stream.aborted || status === 0) return;
    over = true;
    exchange.end(undefined, rawTrailers);
  });
  stream.on('error', (error: Error) => (failure = error));
  stream.on('close', () => {
    if (over) return;
    over = true;
    fail(failure ?? new KnativeError('HTTP_CONNECTION_LOST', status === 0 ? 'EOF' : 'unexpected EOF'));
  });
}

function plainHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!name.startsWith(':')) headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}
