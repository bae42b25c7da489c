import { KnativeError, messageOf } from '../errors.ts';
import { BodyQueue } from './body-queue.ts';
import { makeClientResponse } from './client-response.ts';
import type { BodyFlow, BodySink, ClientRequest, ClientResponse, Exchange } from './exchange.ts';
import { headerValue, isValidHeader } from './raw-headers.ts';

const encoder = new TextEncoder();
const bytesOf = (body: Uint8Array | string): Uint8Array => (typeof body === 'string' ? encoder.encode(body) : body);

/** An exchange between a `ClientRequest` and a handler of the same process. No sockets, no timers, no macrotasks. */
export class MemoryExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion = '1.1';
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
  /** Resolves with the head of the answer. */
  readonly response: Promise<ClientResponse>;

  readonly #body: ClientRequest['body'];
  readonly #queue: BodyQueue;
  #resolveHead: (response: ClientResponse) => void = () => undefined;
  #rejectHead: (error: Error) => void = () => undefined;
  #received = false;
  #headSent = false;
  #finished = false;
  #error: Error | undefined;
  #bodyless = false;
  #abort: AbortController | undefined;
  #aborted = false;
  #drainListeners: (() => void)[] = [];
  #finishListeners: ((error: Error | undefined) => void)[] = [];

  constructor(request: ClientRequest, url: URL, target: string, remoteAddress: string) {
    this.method = request.method;
    this.target = target;
    this.scheme = url.protocol === 'https:' ? 'https' : 'http';
    this.host = headerValue(request.rawHeaders ?? [], 'host') ?? url.host;
    this.rawHeaders = this.#completeHeaders(request);
    this.remoteAddress = remoteAddress;
    this.#body = request.body;
    this.#queue = new BodyQueue({ drain: () => this.#drain(), cancel: () => this.#clientLeft() });
    this.response = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.#watch(request.signal);
  }

  header(name: string): string | undefined {
    return headerValue(this.rawHeaders, name);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted && !this.#abort.signal.aborted) this.#abort.abort(this.#error);
    return this.#abort.signal;
  }

  get hasBody(): boolean {
    return !this.#received && this.#body !== undefined && !(typeof this.#body !== 'object' && this.#body === '');
  }

  receive(sink: BodySink): BodyFlow {
    if (this.#received) throw new KnativeError('HTTP_BODY_CONSUMED', 'the request body has been taken already');
    this.#received = true;
    return pump(this.#body, sink, (end) => this.onFinished(end));
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  writeInformational(): void {
    // A ClientResponse has no place for interim responses.
  }

  writeHead(status: number, rawHeaders: readonly string[] = []): void {
    if (this.#headSent) throw new KnativeError('HTTP_HEAD_SENT', 'the response head has been sent already');
    this.#headSent = true;
    this.#bodyless = this.method === 'HEAD' || status === 204 || status === 304;
    this.#resolveHead(makeClientResponse(status, [...rawHeaders], this.#queue));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#finished) return true;
    if (!this.#headSent) this.writeHead(200);
    if (this.#bodyless || chunk.byteLength === 0) return true;
    // The writer may reuse its buffer once the call returns, as with a socket.
    return this.#queue.push(chunk.slice());
  }

  onDrain(resume: () => void): void {
    if (this.#finished) queueMicrotask(resume);
    else this.#drainListeners.push(resume);
  }

  end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void {
    if (this.#finished) return;
    if (!this.#headSent)
      this.writeHead(200, chunk === undefined ? ['content-length', '0'] : ['content-length', `${bytesOf(chunk).byteLength}`]);
    if (chunk !== undefined) this.write(bytesOf(chunk));
    this.#queue.end(rawTrailers);
    this.#finish(undefined);
  }

  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    const bytes = body === undefined ? undefined : bytesOf(body);
    const hasLength =
      status === 204 ||
      status === 304 ||
      (this.method === 'HEAD' && body === undefined) ||
      headerValue(rawHeaders, 'content-length') !== undefined;
    this.writeHead(status, hasLength ? rawHeaders : [...rawHeaders, 'content-length', `${bytes?.byteLength ?? 0}`]);
    this.end(bytes);
  }

  destroy(error?: Error): void {
    if (this.#finished) return;
    const reason = error ?? new KnativeError('HTTP_CONNECTION_LOST', 'the server cut the connection');
    this.#rejectHead(reason);
    this.#queue.fail(reason);
    this.#finish(reason);
  }

  onFinished(listener: (error: Error | undefined) => void): void {
    if (this.#finished) queueMicrotask(() => listener(this.#error));
    else this.#finishListeners.push(listener);
  }

  #completeHeaders(request: ClientRequest): string[] {
    const raw = [...(request.rawHeaders ?? [])];
    for (let i = 0; i < raw.length; i += 2) {
      if (!isValidHeader(raw[i] ?? '', raw[i + 1] ?? ''))
        throw new KnativeError('HTTP_HEADER_INVALID', `invalid header ${JSON.stringify(raw[i])}`);
    }
    if (headerValue(raw, 'host') === undefined) raw.unshift('host', this.host);
    if (
      (typeof request.body === 'string' || request.body instanceof Uint8Array) &&
      headerValue(raw, 'content-length') === undefined
    ) {
      raw.push('content-length', `${bytesOf(request.body).byteLength}`);
    }
    return raw;
  }

  #watch(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const onAbort = (): void => {
      const reason = signal.reason instanceof Error ? signal.reason : new KnativeError('HTTP_ABORTED', messageOf(signal.reason));
      this.#rejectHead(reason);
      this.#queue.fail(reason);
      this.#clientLeft();
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    this.onFinished(() => signal.removeEventListener('abort', onAbort));
  }

  #clientLeft(): void {
    if (this.#finished) return;
    this.#aborted = true;
    this.#finish(new KnativeError('HTTP_ABORTED', 'the client went away'));
    this.#abort?.abort(this.#error);
  }

  #drain(): void {
    const listeners = this.#drainListeners;
    this.#drainListeners = [];
    for (const resume of listeners) resume();
  }

  #finish(error: Error | undefined): void {
    this.#finished = true;
    this.#error = error;
    this.#drain();
    const listeners = this.#finishListeners;
    this.#finishListeners = [];
    for (const listener of listeners) listener(error);
  }
}

/** Feeds a request body into a sink, starting in a microtask so that the caller has its `BodyFlow` first. */
function pump(
  body: ClientRequest['body'],
  sink: BodySink,
  onFinished: (stop: (error: Error | undefined) => void) => void,
): BodyFlow {
  let resume: (() => void) | undefined;
  let paused = false;
  let stopped: Error | undefined;
  const waitWhilePaused = (): Promise<void> | undefined => (paused ? new Promise((resolve) => (resume = resolve)) : undefined);
  onFinished((error) => {
    stopped = error;
    paused = false;
    resume?.();
  });
  const run = async (): Promise<void> => {
    await Promise.resolve();
    const chunks =
      body === undefined || body === '' ? [] : typeof body === 'string' || body instanceof Uint8Array ? [bytesOf(body)] : body;
    for await (const chunk of chunks) {
      await waitWhilePaused();
      if (stopped !== undefined) throw stopped;
      if (sink.data(chunk) === false) paused = true;
    }
    await waitWhilePaused();
    sink.end([]);
  };
  run().catch((error: unknown) => sink.error(error instanceof Error ? error : new Error(messageOf(error))));
  return {
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      resume?.();
      resume = undefined;
    },
  };
}
