import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { KnativeError } from '../errors.ts';
import type { BodyFlow, BodySink, Exchange } from './exchange.ts';
import { http2Headers } from './http2-headers.ts';
import { headerValue } from './raw-headers.ts';

const ignore = (): void => undefined;
const endStreamFlag = 1;
const internalError = 2;

/** An exchange over one HTTP/2 stream. */
export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion = '2.0';
  readonly rawHeaders: readonly string[];

  readonly #stream: ServerHttp2Stream;
  readonly #endsWithHead: boolean;
  #received = false;
  #headSent = false;
  #finished = false;
  #error: Error | undefined;
  #abort: AbortController | undefined;
  #trailers: readonly string[] = [];
  #finishListeners: ((error: Error | undefined) => void)[] = [];
  #drainListeners: (() => void)[] = [];

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders & Record<string, unknown>,
    rawHeaders: readonly string[],
    flags: number,
    scheme: 'http' | 'https',
  ) {
    this.#stream = stream;
    this.method = text(headers[':method'], 'GET');
    this.target = text(headers[':path'], '/');
    this.host = text(headers[':authority'], text(headers['host'], ''));
    this.scheme = scheme;
    this.rawHeaders = withOneCookie(withoutPseudo(rawHeaders));
    this.#endsWithHead = (flags & endStreamFlag) !== 0;
    stream.on('error', ignore);
    stream.on('close', () => this.#finish());
  }

  header(name: string): string | undefined {
    return headerValue(this.rawHeaders, name);
  }

  get remoteAddress(): string {
    return this.#stream.session?.socket.remoteAddress ?? '';
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#error !== undefined) this.#abort.abort(this.#error);
    return this.#abort.signal;
  }

  get hasBody(): boolean {
    return !this.#received && !this.#endsWithHead;
  }

  receive(sink: BodySink): BodyFlow {
    if (this.#received) throw new KnativeError('HTTP_BODY_CONSUMED', 'the request body has been taken already');
    this.#received = true;
    const stream = this.#stream;
    if (this.header('expect') === '100-continue' && !this.#headSent) stream.additionalHeaders({ ':status': 100 });
    let ended = false;
    let rawTrailers: readonly string[] = [];
    stream.on('trailers', (_trailers: unknown, _flags: number, raw: readonly string[]) => (rawTrailers = withoutPseudo(raw)));
    stream.on('data', (chunk: Uint8Array) => {
      if (!ended && sink.data(chunk) === false) stream.pause();
    });
    stream.on('end', () => {
      if (ended) return;
      ended = true;
      if (stream.aborted) sink.error(new KnativeError('HTTP_ABORTED', 'the client went away'));
      else sink.end(rawTrailers);
    });
    stream.on('close', () => {
      if (ended) return;
      ended = true;
      sink.error(new KnativeError('HTTP_ABORTED', 'the client went away'));
    });
    return stream;
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  writeInformational(status: number, rawHeaders: readonly string[] = []): void {
    if (!this.#headSent && !this.#stream.destroyed)
      this.#stream.additionalHeaders({ ...http2Headers(rawHeaders), ':status': status });
  }

  writeHead(status: number, rawHeaders: readonly string[] = []): void {
    this.#begin(status, rawHeaders, this.method === 'HEAD', true);
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#headSent) this.writeHead(200);
    if (this.#finished || this.#stream.destroyed || this.#stream.writableEnded) return true;
    return this.#stream.write(chunk);
  }

  onDrain(resume: () => void): void {
    if (this.#finished) {
      queueMicrotask(resume);
      return;
    }
    if (this.#drainListeners.length === 0 && this.#stream.listenerCount('drain') === 0)
      this.#stream.on('drain', () => this.#drain());
    this.#drainListeners.push(resume);
  }

  end(chunk?: Uint8Array | string, rawTrailers: readonly string[] = []): void {
    if (!this.#headSent) {
      if (rawTrailers.length === 0) {
        this.respond(200, [], chunk);
        return;
      }
      this.writeHead(200);
    }
    this.#trailers = rawTrailers;
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (chunk === undefined) this.#stream.end();
    else this.#stream.end(chunk);
  }

  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    const empty = body === undefined || body.length === 0;
    const bodyless = status === 204 || status === 304 || (this.method === 'HEAD' && body === undefined);
    const known = bodyless || empty || headerValue(rawHeaders, 'content-length') !== undefined;
    const byteLength = empty ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.#begin(
      status,
      known ? rawHeaders : [...rawHeaders, 'content-length', String(byteLength)],
      empty || this.method === 'HEAD',
      false,
    );
    if (!empty && this.method !== 'HEAD' && !this.#stream.destroyed) this.#stream.end(body);
  }

  destroy(): void {
    if (!this.#stream.destroyed) this.#stream.close(internalError);
  }

  onFinished(listener: (error: Error | undefined) => void): void {
    if (this.#finished) queueMicrotask(() => listener(this.#error));
    else this.#finishListeners.push(listener);
  }

  #begin(status: number, rawHeaders: readonly string[], endStream: boolean, trailers: boolean): void {
    if (this.#headSent) throw new KnativeError('HTTP_HEAD_SENT', 'the response head has been sent already');
    this.#headSent = true;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (trailers && !endStream) stream.on('wantTrailers', () => stream.sendTrailers(http2Headers(this.#trailers)));
    stream.respond({ ...http2Headers(rawHeaders), ':status': status }, { endStream, waitForTrailers: trailers && !endStream });
  }

  #drain(): void {
    for (const resume of this.#drainListeners.splice(0)) resume();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const { rstCode, aborted, writableFinished } = this.#stream;
    if (!writableFinished || aborted || rstCode !== 0) {
      this.#error = new KnativeError('HTTP_ABORTED', 'the client went away');
      this.#abort?.abort(this.#error);
    }
    this.#drain();
    for (const listener of this.#finishListeners.splice(0)) listener(this.#error);
  }
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

function withoutPseudo(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!name.startsWith(':')) kept.push(name, rawHeaders[i + 1] ?? '');
  }
  return kept;
}

/** HTTP/2 clients may send a cookie in pieces; whoever reads it expects one header. */
function withOneCookie(rawHeaders: string[]): string[] {
  let first = -1;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i] !== 'cookie') continue;
    if (first < 0) {
      first = i + 1;
      continue;
    }
    rawHeaders[first] = `${rawHeaders[first]}; ${rawHeaders[i + 1]}`;
    rawHeaders.splice(i, 2);
    i -= 2;
  }
  return rawHeaders;
}
