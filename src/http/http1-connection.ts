import type { Socket, TcpNetConnectOpts } from 'node:net';
import { KnativeError, messageOf } from '../errors.ts';
import type { BodyFlow, BodySink, Exchange, Tunnel } from './exchange.ts';
import { respondText } from './handle.ts';
import { isHopByHop } from './raw-headers.ts';
import { requestHead, type RequestHead } from './request-head.ts';
import { ResponseParser, type ResponseFraming, type ResponseSink } from './response-parser.ts';
import { pipeTunnels } from './tunnel.ts';

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** It has finished an exchange and can take another one for about `idleMs`. */
  idle(connection: Http1Connection, keepAliveMs: number | undefined): void;
  /** It is of no more use. */
  closed(connection: Http1Connection): void;
  /** The backend closed an idle connection before it saw this exchange, or cannot have acted on it. */
  retry(authority: string, exchange: Exchange, unseen: Unseen): void;
  /** Calls `run` after a second. */
  afterSecond(run: () => void): Disposable;
}

/**
 * Told instead of an answer when the exchange may go elsewhere: HTTP_UNREACHABLE when the backend has certainly not seen it and its
 * body has not been taken, HTTP_CONNECTION_LOST when the backend broke off before its answer to a safe method (GET, HEAD, OPTIONS,
 * TRACE) without a body.
 */
export type Unseen = (error: KnativeError) => void;

const readBufferBytes = 64 * 1024;
/** Bodies up to this size go out in one string with the head. */
const joinedBytesMax = 16 * 1024;

// Reads are synchronous on every system but Windows, so that all connections can share the memory they read into.
let sharedBuffer: Buffer | undefined;
function readBuffer(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(readBufferBytes);
  sharedBuffer ??= Buffer.allocUnsafeSlow(readBufferBytes);
  return sharedBuffer;
}

/** One HTTP/1.1 connection to a backend that carries one exchange at a time. */
export class Http1Connection implements ResponseSink {
  readonly authority: string;
  /** How long it may stay idle, and for how many of the pool's sweeps it has been; managed by the pool. */
  keepMs = 0;
  sweeps = 0;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #connected = false;
  #closed = false;
  #used = false;
  #paused = false;

  // The exchange under way.
  #exchange: Exchange | undefined;
  #unseen: Unseen | undefined;
  #head: RequestHead | undefined;
  #flow: BodyFlow | undefined;
  #bodyTaken = false;
  #requestSent = false;
  #answered = false;
  #status = 0;
  #responseHeaders: string[] | undefined;
  #firstChunk: Buffer | undefined;
  #framing: ResponseFraming | undefined;
  #chunked = false;
  #continueTimer: Disposable | undefined;
  #tunnelSink: BodySink | undefined;
  /** Bytes that came after a switch of protocols and before anybody asked for them. */
  #tunnelFlushed: Buffer[] | undefined;

  constructor(authority: string, address: { readonly host: string; readonly port: number }, owner: ConnectionOwner) {
    this.authority = authority;
    this.#owner = owner;
    const options: TcpNetConnectOpts = {
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: { buffer: readBuffer(), callback: (size, buffer) => this.#read(size, buffer as Buffer) },
    };
    this.#socket = process.getBuiltinModule('node:net').connect(options);
    this.#socket.on('connect', () => {
      this.#connected = true;
      if (this.#exchange !== undefined) this.#send();
    });
    this.#socket.on('drain', () => this.#flow?.resume());
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => this.#ended());
  }

  /** Sends the exchange; only when idle. */
  start(exchange: Exchange, unseen: Unseen): void {
    this.#exchange = exchange;
    this.#unseen = unseen;
    this.#bodyTaken = false;
    this.#requestSent = false;
    this.#answered = false;
    this.#parser.start();
    exchange.onFinished((error) => {
      if (this.#exchange === exchange && error !== undefined) this.#abandon();
    });
    if (this.#connected) this.#send();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  // --- The request ---

  get method(): string {
    return this.#exchange?.method ?? 'GET';
  }

  #send(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const head = requestHead(exchange);
    if (!exchange.hasBody) {
      this.#requestSent = true;
      this.#socket.write(head.text, 'latin1');
      return;
    }
    this.#head = head;
    if (head.expectsContinue) {
      this.#flushHead();
      // A backend that does not know the expectation waits for the body in silence.
      this.#continueTimer = this.#owner.afterSecond(() => {
        if (this.#exchange === exchange && !this.#answered && exchange.hasBody) this.#takeBody(exchange);
      });
      return;
    }
    this.#takeBody(exchange);
    // The first piece of a small body is usually there by then and travels with the head.
    process.nextTick(() => this.#flushHead());
  }

  #takeBody(exchange: Exchange): void {
    this.#bodyTaken = true;
    this.#flow = exchange.receive(this.#requestSink);
  }

  #flushHead(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#socket.write(head.text, 'latin1');
    this.#head = undefined;
    this.#chunked = head.chunked;
  }

  readonly #requestSink: BodySink = {
    data: (chunk) => this.#requestData(chunk),
    end: (rawTrailers) => this.#requestEnd(rawTrailers ?? []),
    error: () => {
      if (this.#exchange !== undefined && !this.#requestSent) this.#abandon();
    },
  };

  #requestData(chunk: Uint8Array): boolean {
    const size = chunk.byteLength;
    if (size === 0 || this.#closed) return true;
    const head = this.#head;
    if (head !== undefined && size <= joinedBytesMax) {
      this.#head = undefined;
      this.#chunked = head.chunked;
      const body = latin1(chunk);
      return this.#socket.write(head.text + (head.chunked ? `${size.toString(16)}\r\n${body}\r\n` : body), 'latin1');
    }
    this.#flushHead();
    if (!this.#chunked) return this.#socket.write(chunk);
    this.#socket.cork();
    this.#socket.write(`${size.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const more = this.#socket.write('\r\n', 'latin1');
    process.nextTick(() => this.#socket.uncork());
    return more;
  }

  #requestEnd(rawTrailers: readonly string[]): void {
    if (this.#exchange === undefined || this.#closed) return;
    this.#flushHead();
    this.#requestSent = true;
    if (!this.#chunked) return;
    let text = '0\r\n';
    for (let i = 0; i + 1 < rawTrailers.length; i += 2) text += `${rawTrailers[i]}: ${rawTrailers[i + 1]}\r\n`;
    this.#socket.write(`${text}\r\n`, 'latin1');
  }

  // --- The response ---

  #read(size: number, buffer: Buffer): boolean {
    const data = buffer.subarray(0, size);
    if (this.#tunnelSink !== undefined) return this.#tunnelSink.data(Buffer.from(data)) !== false;
    if (this.#tunnelFlushed !== undefined) {
      this.#tunnelFlushed.push(Buffer.from(data));
      return false;
    }
    if (this.#exchange === undefined) {
      // An answer to nothing: whatever follows could be taken for the next exchange's.
      this.close();
      return false;
    }
    try {
      this.#parser.execute(data);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
      return false;
    }
    this.#flushResponse();
    return !this.#paused;
  }

  head(status: number, headers: string[], framing: ResponseFraming): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (status < 200) {
      this.#interim(exchange, status, headers);
      return;
    }
    this.#answered = true;
    this.#status = status;
    this.#framing = framing;
    this.#responseHeaders = endToEnd(headers);
  }

  body(chunk: Buffer): void {
    if (this.#responseHeaders !== undefined && this.#firstChunk === undefined) {
      this.#firstChunk = chunk;
      return;
    }
    this.#flushResponse();
    this.#write(chunk);
  }

  tunnel(bytes: Buffer): void {
    this.#tunnelFlushed?.push(Buffer.from(bytes));
  }

  end(rawTrailers: readonly string[]): void {
    const exchange = this.#exchange;
    const framing = this.#framing;
    if (exchange === undefined || framing === undefined) return;
    const status = this.#status;
    const headers = this.#responseHeaders;
    // The buffer is read into again before a slow client has taken its bytes.
    const chunk = this.#firstChunk === undefined ? undefined : Buffer.from(this.#firstChunk);
    // A backend that answers without the whole body may still take the rest of it for a request.
    const reusable = framing.keepAlive && this.#requestSent && !this.#closed;
    const whole = framing.length > 0 || (framing.length === 0 && exchange.method !== 'HEAD' && status !== 304);
    this.#release();
    if (reusable) this.#owner.idle(this, framing.keepAliveMs);
    else this.close();
    try {
      if (headers !== undefined && whole) exchange.respond(status, headers, chunk);
      else {
        if (headers !== undefined) exchange.writeHead(status, headers);
        exchange.end(chunk, rawTrailers);
      }
    } catch (error) {
      exchange.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #flushResponse(): void {
    const headers = this.#responseHeaders;
    if (headers === undefined) return;
    this.#responseHeaders = undefined;
    this.#exchange?.writeHead(this.#status, headers);
    const chunk = this.#firstChunk;
    this.#firstChunk = undefined;
    if (chunk !== undefined) this.#write(chunk);
  }

  #write(view: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.write(Buffer.from(view)) || this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    exchange.onDrain(() => {
      if (this.#exchange !== exchange) return;
      this.#paused = false;
      this.#socket.resume();
    });
  }

  #interim(exchange: Exchange, status: number, headers: string[]): void {
    if (status === 101) {
      if (exchange.upgrade === undefined || exchange.acceptUpgrade === undefined) {
        throw new KnativeError('HTTP_RESPONSE_INVALID', 'the backend switched protocols unasked');
      }
      this.#answered = true;
      this.#tunnelFlushed = [];
      const client = exchange.acceptUpgrade(headers);
      this.#release();
      queueMicrotask(() => pipeTunnels(client, this.#backendTunnel()));
      return;
    }
    if (status === 100) {
      if (!this.#bodyTaken && exchange.hasBody) this.#takeBody(exchange);
      return;
    }
    exchange.writeInformational(status, endToEnd(headers));
  }

  #backendTunnel(): Tunnel {
    const socket = this.#socket;
    return {
      receive: (sink) => {
        const early = this.#tunnelFlushed ?? [];
        this.#tunnelFlushed = undefined;
        this.#tunnelSink = sink;
        for (const chunk of early) sink.data(chunk);
        socket.resume();
        return { pause: () => socket.pause(), resume: () => socket.resume() };
      },
      write: (chunk) => (socket.destroyed || socket.writableEnded ? true : socket.write(chunk)),
      onDrain: (resume) => (socket.destroyed ? queueMicrotask(resume) : socket.once('drain', resume)),
      end: () => socket.end(),
      destroy: () => this.close(),
    };
  }

  // --- The end ---

  #release(): void {
    this.#exchange = undefined;
    this.#unseen = undefined;
    this.#flow = undefined;
    this.#head = undefined;
    this.#framing = undefined;
    this.#responseHeaders = undefined;
    this.#firstChunk = undefined;
    this.#used = true;
    this.#continueTimer?.[Symbol.dispose]();
    this.#continueTimer = undefined;
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  /** The client has gone: the backend sees its connection close. */
  #abandon(): void {
    this.#release();
    this.close();
  }

  #ended(): void {
    if (this.#tunnelSink !== undefined) {
      const sink = this.#tunnelSink;
      this.#tunnelSink = undefined;
      sink.end();
    }
    if (this.#exchange !== undefined && this.#connected) {
      try {
        this.#parser.finish();
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(messageOf(error)));
      }
    }
    this.#closed = true;
    this.#owner.closed(this);
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    const unseen = this.#unseen;
    const wasConnected = this.#connected;
    const repeatable = !this.#answered && !this.#bodyTaken && isSafe(exchange?.method ?? '') && isLoss(error);
    const stale = repeatable && this.#used;
    const headWaits = this.#responseHeaders !== undefined;
    this.#release();
    this.close();
    if (this.#tunnelSink !== undefined) {
      const sink = this.#tunnelSink;
      this.#tunnelSink = undefined;
      sink.error(error);
      return;
    }
    if (exchange === undefined || unseen === undefined) return;
    if (!wasConnected) unseen(connectError(error, this.authority));
    else if (stale) this.#owner.retry(this.authority, exchange, unseen);
    else if (repeatable)
      unseen(new KnativeError('HTTP_CONNECTION_LOST', reasonOf(error, headWaits), { cause: error, status: 502 }));
    else if (exchange.headSent) exchange.destroy(error);
    else respondText(exchange, 502, reasonOf(error, headWaits));
  }
}

/** A connection that broke off, as against an answer that is malformed and would be again. */
function isLoss(error: Error): boolean {
  return !KnativeError.is(error) || error.code === 'HTTP_CONNECTION_LOST';
}

/** Methods that change nothing: sending them twice is safe. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE';
}

/** Response headers that travel on, without those of the connection and those that its Connection header names. */
function endToEnd(headers: string[]): string[] {
  let drop: Set<string> | undefined;
  let any = false;
  for (let i = 0; i < headers.length; i += 2) {
    const lower = lowerName(headers[i] ?? '');
    if (!isHopByHop(lower)) continue;
    any = true;
    if (lower !== 'connection') continue;
    for (const item of (headers[i + 1] ?? '').split(',')) {
      const named = item.trim().toLowerCase();
      if (named === 'keep-alive' || named === 'close' || named === 'upgrade' || named === '' || named === 'content-length')
        continue;
      drop ??= new Set();
      drop.add(named);
    }
  }
  if (!any) return headers;
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const lower = lowerName(name);
    if (isHopByHop(lower) || drop?.has(lower) === true) continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}

const lowerNames = new Map<string, string>();
const lowerNamesMax = 2_000;

function lowerName(name: string): string {
  const known = lowerNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (lowerNames.size < lowerNamesMax) lowerNames.set(name, lower);
  return lower;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.isBuffer(bytes)
    ? bytes.toString('latin1')
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Upstream's wording of a refused connection; other failures keep the system's. */
function connectError(error: Error, authority: string): KnativeError {
  const code = 'code' in error ? String(error.code) : '';
  const reason = code === 'ECONNREFUSED' ? 'connection refused' : error.message;
  return new KnativeError('HTTP_UNREACHABLE', `dial tcp ${authority}: connect: ${reason}`, { cause: error, status: 502 });
}

function reasonOf(error: Error, headWaits: boolean): string {
  if (KnativeError.is(error)) return error.message;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNRESET' || code === 'EPIPE') return headWaits ? 'connection reset during the response' : 'EOF';
  return error.message;
}
