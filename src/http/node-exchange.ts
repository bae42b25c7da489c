import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { KnativeError } from '../errors.ts';
import type { BodyFlow, BodySink, Exchange, Tunnel } from './exchange.ts';
import { headerValue } from './raw-headers.ts';
import { SocketTunnel } from './socket-tunnel.ts';

/** What the exchanges of one server share. */
export interface ServerState {
  draining: boolean;
  readonly discardTimeoutMs: number;
  /** Called once for each exchange that is over. */
  closed(): void;
}

const ignoreError = (): void => undefined;

/** Up to this size a body travels in one string with the head, which node:http writes in a single call. */
const joinedBodyBytesMax = 8 * 1024;

/** An exchange over node:http. */
export class NodeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: '1.0' | '1.1';
  readonly rawHeaders: readonly string[];

  protected readonly request: IncomingMessage;
  protected readonly reply: ServerResponse;
  readonly #state: ServerState;
  readonly #expectsContinue: boolean;
  #received = false;
  #headSent = false;
  #bodyBegun = false;
  #finished = false;
  #error: Error | undefined;
  #abort: AbortController | undefined;
  #finishListeners: ((error: Error | undefined) => void)[] | undefined;
  #drainListeners: (() => void)[] | undefined;

  constructor(
    request: IncomingMessage,
    reply: ServerResponse,
    state: ServerState,
    scheme: 'http' | 'https',
    expectsContinue: boolean,
  ) {
    this.request = request;
    this.reply = reply;
    this.#state = state;
    this.#expectsContinue = expectsContinue;
    this.method = request.method ?? 'GET';
    this.rawHeaders = request.rawHeaders;
    const url = request.url ?? '/';
    if (url.startsWith('/') || url === '*') {
      this.target = url;
      this.host = headerValue(request.rawHeaders, 'host') ?? '';
    } else {
      // Absolute form: its authority counts, whatever Host says.
      const absolute = URL.parse(url);
      this.target = absolute === null ? '' : `${absolute.pathname}${absolute.search}`;
      this.host = absolute?.host ?? '';
    }
    this.scheme = scheme;
    this.httpVersion = request.httpVersionMinor === 0 ? '1.0' : '1.1';
    reply.on('error', ignoreError);
    reply.on('close', () => this.finish());
  }

  /** False for a request that names several hosts or no readable target. */
  get acceptable(): boolean {
    return this.target !== '' && !this.host.includes(',');
  }

  header(name: string): string | undefined {
    return headerValue(this.rawHeaders, name);
  }

  get remoteAddress(): string {
    return this.request.socket.remoteAddress ?? '';
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#error !== undefined) this.#abort.abort(this.#error);
    }
    return this.#abort.signal;
  }

  get hasBody(): boolean {
    if (this.#received) return false;
    const length = headerValue(this.rawHeaders, 'content-length');
    if (length !== undefined) return length !== '0';
    return headerValue(this.rawHeaders, 'transfer-encoding') !== undefined;
  }

  receive(sink: BodySink): BodyFlow {
    if (this.#received) throw new KnativeError('HTTP_BODY_CONSUMED', 'the request body has been taken already');
    this.#received = true;
    const request = this.request;
    if (this.#expectsContinue && !this.#headSent) this.reply.writeContinue();
    let ended = false;
    const fail = (error: Error): void => {
      if (ended) return;
      ended = true;
      sink.error(error);
    };
    request.on('data', (chunk: Uint8Array) => {
      if (!ended && sink.data(chunk) === false) request.pause();
    });
    request.on('end', () => {
      if (ended) return;
      ended = true;
      sink.end(request.rawTrailers);
    });
    request.on('error', fail);
    // Every request closes: the error, with its stack, is made only for those that were cut off.
    request.on('close', () => {
      if (!ended) fail(new KnativeError('HTTP_ABORTED', 'the client went away'));
    });
    return request;
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  writeInformational(status: number, rawHeaders: readonly string[] = []): void {
    if (this.#headSent || this.httpVersion === '1.0') return;
    if (status === 100) {
      this.reply.writeContinue();
      return;
    }
    // `socket` is set only while this reply is the connection's current one; a pipelined later one drops its interim answers.
    this.reply.socket?.write(
      `HTTP/1.1 ${status} ${status === 103 ? 'Early Hints' : 'Processing'}\r\n${headLines(rawHeaders)}\r\n`,
      'latin1',
    );
  }

  writeHead(status: number, rawHeaders: readonly string[] = []): void {
    this.#begin(status, rawHeaders);
    // node:http keeps a head until the body begins; that of a stream may take its time.
    process.nextTick(() => {
      if (!this.#bodyBegun && !this.#finished) this.reply.flushHeaders();
    });
  }

  #begin(status: number, rawHeaders: readonly string[]): void {
    if (this.#headSent) throw new KnativeError('HTTP_HEAD_SENT', 'the response head has been sent already');
    if (this.#state.draining || (this.#expectsContinue && !this.#received)) this.reply.shouldKeepAlive = false;
    this.reply.writeHead(status, rawHeaders as string[]);
    this.#headSent = true;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#headSent) this.writeHead(200);
    if (this.#finished) return true;
    this.#bodyBegun = true;
    return this.reply.write(chunk);
  }

  onDrain(resume: () => void): void {
    if (this.#finished) {
      queueMicrotask(resume);
      return;
    }
    if (this.#drainListeners === undefined) {
      this.#drainListeners = [];
      this.reply.on('drain', () => this.#drain());
    }
    this.#drainListeners.push(resume);
  }

  end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void {
    if (!this.#headSent) {
      this.respond(200, [], chunk);
      return;
    }
    this.#bodyBegun = true;
    if (rawTrailers !== undefined && rawTrailers.length > 0) this.reply.addTrailers(pairs(rawTrailers));
    if (chunk === undefined) this.reply.end();
    else this.reply.end(chunk);
  }

  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    const bodyless = status === 204 || status === 304 || (this.method === 'HEAD' && body === undefined);
    const known = bodyless || headerValue(rawHeaders, 'content-length') !== undefined;
    if (body === undefined || body.length === 0) {
      this.#begin(status, known ? rawHeaders : [...rawHeaders, 'content-length', '0']);
      this.reply.end();
      return;
    }
    const byteLength = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.#begin(status, known ? rawHeaders : [...rawHeaders, 'content-length', String(byteLength)]);
    if (typeof body === 'string') this.reply.end(body);
    else if (byteLength <= joinedBodyBytesMax) this.reply.end(latin1Of(body), 'latin1');
    else this.reply.end(body);
  }

  destroy(error?: Error): void {
    this.reply.destroy(error);
  }

  onFinished(listener: (error: Error | undefined) => void): void {
    if (this.#finished) {
      queueMicrotask(() => listener(this.#error));
      return;
    }
    this.#finishListeners ??= [];
    this.#finishListeners.push(listener);
  }

  protected get complete(): boolean {
    return this.reply.writableFinished;
  }

  protected finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#state.closed();
    this.#discardRest();
    if (!this.complete) {
      this.#error = this.reply.errored ?? new KnativeError('HTTP_ABORTED', 'the client went away');
      this.#abort?.abort(this.#error);
    }
    this.#drain();
    const listeners = this.#finishListeners;
    this.#finishListeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener(this.#error);
  }

  /**
   * An answer that came before the whole request: node:http reads the rest away, so that the client gets to see the answer, but for
   * so long only.
   */
  #discardRest(): void {
    const { request } = this;
    if (request.complete || request.socket.destroyed) return;
    request.resume();
    setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, this.#state.discardTimeoutMs).unref();
  }

  #drain(): void {
    const listeners = this.#drainListeners;
    if (listeners === undefined || listeners.length === 0) return;
    this.#drainListeners = [];
    for (const resume of listeners) resume();
  }
}

/**
 * An exchange whose client asked for another protocol. node:http has detached its parser: an answer other than 101 goes out as
 * usual and ends the connection.
 */
export class NodeUpgradeExchange extends NodeExchange {
  readonly upgrade: string;
  readonly #socket: Socket;
  readonly #firstBytes: Buffer;
  #switched = false;

  constructor(
    request: IncomingMessage,
    reply: ServerResponse,
    state: ServerState,
    scheme: 'http' | 'https',
    connection: { readonly socket: Socket; readonly firstBytes: Buffer },
  ) {
    super(request, reply, state, scheme, false);
    this.upgrade = headerValue(request.rawHeaders, 'upgrade') ?? '';
    this.#socket = connection.socket;
    this.#firstBytes = connection.firstBytes;
    // node:http reads no further request from it.
    reply.shouldKeepAlive = false;
    reply.on('finish', () => this.#socket.end());
    this.#socket.on('error', ignoreError);
    this.#socket.on('close', () => this.finish());
  }

  /** A connection that has switched protocols is complete whenever it ends. */
  protected override get complete(): boolean {
    return this.#switched || super.complete;
  }

  override get hasBody(): boolean {
    return false;
  }

  acceptUpgrade(rawHeaders: readonly string[]): Tunnel {
    this.#switched = true;
    this.reply.detachSocket(this.#socket);
    this.#socket.setTimeout(0);
    this.#socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headLines(rawHeaders)}\r\n`, 'latin1');
    return new SocketTunnel(this.#socket, this.#firstBytes);
  }
}

function headLines(rawHeaders: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return lines;
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) result.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return result;
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
