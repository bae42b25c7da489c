import { KnativeError } from '../../errors.ts';
import { headerValue, respondText, type BodyFlow, type BodySink, type Exchange, type Tunnel } from '../../http/index.ts';
import { Deadline, type DeadlineOwner } from './deadline-list.ts';
import type { TimeoutKind, TimeoutLists } from './timeouts.ts';

/** What the owner of a guarded exchange wants to know. */
export interface ExchangeGuard {
  /** Body of the 504 and the text that ends a response which is cut; upstream: `request timeout`, `activator request timeout`. */
  readonly timeoutText: string;
  /** Called once when all is over: with the error when the client left, the instance failed or a limit was hit. */
  finished(exchange: GuardedExchange, error: Error | undefined): void;
  /** Headers to add to the response, names and values in turn. */
  responseHeaders?(exchange: GuardedExchange): readonly string[];
}

/**
 * An exchange on its way to an instance: the client's one with other request headers, watched by time limits, with the outcome
 * noted for metrics and the request log. When a limit is hit it answers the client itself, and whatever the instance still sends
 * goes nowhere.
 */
export class GuardedExchange implements Exchange, DeadlineOwner {
  readonly inner: Exchange;
  rawHeaders: readonly string[];
  host: string;
  target: string;
  /** Status sent to the client, 0 before the head. */
  status = 0;
  /** Bytes of the response body sent to the client. */
  bytesSent = 0;
  /** The limit that ended it. */
  timedOut: TimeoutKind | undefined;

  readonly #guard: ExchangeGuard;
  #lists: TimeoutLists | undefined;
  #request: Deadline | undefined;
  #responseStart: Deadline | undefined;
  #idle: Deadline | undefined;
  #declaredLength: string | undefined;
  #over = false;
  #error: Error | undefined;
  #abort: AbortController | undefined;
  #listeners: ((error: Error | undefined) => void)[] | undefined;
  #tunnel: Tunnel | undefined;

  constructor(inner: Exchange, guard: ExchangeGuard) {
    this.inner = inner;
    this.rawHeaders = inner.rawHeaders;
    this.host = inner.host;
    this.target = inner.target;
    this.#guard = guard;
    inner.onFinished((error) => this.#finish(error));
  }

  /** Starts the limits of these lists. */
  startTimeouts(lists: TimeoutLists, nowMs: number): void {
    this.#lists = lists;
    if (lists.request !== undefined) lists.request.start((this.#request = new Deadline(this)), nowMs);
    if (lists.responseStart !== undefined && this.status === 0) {
      lists.responseStart.start((this.#responseStart = new Deadline(this)), nowMs);
    }
    if (lists.idle !== undefined) lists.idle.start((this.#idle = new Deadline(this)), nowMs);
  }

  /** True when nobody waits for the answer any more. */
  get over(): boolean {
    return this.#over;
  }

  get method(): string {
    return this.inner.method;
  }
  get scheme(): 'http' | 'https' {
    return this.inner.scheme;
  }
  get httpVersion(): '1.0' | '1.1' | '2.0' {
    return this.inner.httpVersion;
  }
  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }
  get hasBody(): boolean {
    return this.inner.hasBody;
  }
  get headSent(): boolean {
    return this.status !== 0;
  }
  get upgrade(): string | undefined {
    return this.inner.upgrade;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#error !== undefined) this.#abort.abort(this.#error);
    }
    return this.#abort.signal;
  }

  header(name: string): string | undefined {
    return headerValue(this.rawHeaders, name);
  }

  receive(sink: BodySink): BodyFlow {
    return this.inner.receive(sink);
  }

  writeInformational(status: number, rawHeaders?: readonly string[]): void {
    if (!this.#over) this.inner.writeInformational(status, rawHeaders);
  }

  writeHead(status: number, rawHeaders: readonly string[] = []): void {
    if (this.#over) return;
    this.inner.writeHead(status, this.#begin(status, rawHeaders));
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    if (this.status === 0) this.writeHead(200);
    this.bytesSent += chunk.byteLength;
    this.#touch();
    return this.inner.write(chunk);
  }

  onDrain(resume: () => void): void {
    this.inner.onDrain(resume);
  }

  end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void {
    if (this.#over) return;
    if (this.status === 0) {
      if (rawTrailers === undefined) {
        this.respond(200, [], chunk);
        return;
      }
      this.writeHead(200);
    }
    this.#note(chunk);
    this.inner.end(chunk, rawTrailers);
  }

  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    if (this.#over) return;
    const sent = this.#begin(status, rawHeaders);
    this.#note(body);
    this.inner.respond(status, sent, body);
  }

  /** The instance breaks off. Before the head that is a bad gateway to the client, after it a cut connection. */
  destroy(error?: Error): void {
    if (this.#over) return;
    if (this.status === 0) respondText(this, 502, error?.message ?? 'EOF');
    else this.inner.destroy(error);
  }

  onFinished(listener: (error: Error | undefined) => void): void {
    if (this.#over) {
      queueMicrotask(() => listener(this.#error));
      return;
    }
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  acceptUpgrade(rawHeaders: readonly string[]): Tunnel {
    const tunnel = this.inner.acceptUpgrade?.(rawHeaders);
    if (tunnel === undefined) throw new KnativeError('SERVING_UPGRADE_UNSUPPORTED', 'this connection cannot switch protocols');
    this.status = 101;
    this.#responseStart?.clear();
    this.#tunnel = tunnel;
    if (this.#idle === undefined) return tunnel;
    // Traffic in either direction keeps it.
    const touch = (): void => this.#touch();
    return {
      receive: (sink) =>
        tunnel.receive({
          data(chunk) {
            touch();
            return sink.data(chunk);
          },
          end: (rawTrailers) => sink.end(rawTrailers),
          error: (error) => sink.error(error),
        }),
      write(chunk) {
        touch();
        return tunnel.write(chunk);
      },
      onDrain: (resume) => tunnel.onDrain(resume),
      end: () => tunnel.end(),
      destroy: (error) => tunnel.destroy(error),
    };
  }

  #begin(status: number, rawHeaders: readonly string[]): readonly string[] {
    this.status = status;
    this.#responseStart?.clear();
    if (this.#lists !== undefined) {
      this.#touch();
      this.#declaredLength = headerValue(rawHeaders, 'content-length');
    }
    const extra = this.#guard.responseHeaders?.(this);
    return extra === undefined || extra.length === 0 ? rawHeaders : [...rawHeaders, ...extra];
  }

  #note(chunk: Uint8Array | string | undefined): void {
    if (chunk !== undefined) this.bytesSent += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
  }

  #touch(): void {
    const idle = this.#idle;
    if (idle !== undefined) this.#lists?.idle?.start(idle);
  }

  /** A limit has been hit. */
  expired(deadline: Deadline): void {
    if (this.#over) return;
    const kind = deadline === this.#request ? 'request' : deadline === this.#responseStart ? 'response-start' : 'idle';
    this.timedOut = kind;
    const { inner } = this;
    const text = this.#guard.timeoutText;
    const started = this.status !== 0;
    const declaredLength = this.#declaredLength;
    if (!started) this.status = 504;
    // First the end for the instance's side, so that nothing it does in between mixes with the answer.
    this.#finish(new KnativeError('SERVING_TIMEOUT', `${text} (${kind})`, { status: 504 }));
    if (this.#tunnel !== undefined) this.#tunnel.destroy();
    else if (!started) inner.respond(504, ['content-type', 'text/plain; charset=utf-8'], text);
    else if (declaredLength !== undefined || isGrpc(inner)) inner.destroy();
    else inner.end(text);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#request?.clear();
    this.#responseStart?.clear();
    this.#idle?.clear();
    if (error !== undefined) this.#abort?.abort(error);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener(error);
    this.#guard.finished(this, error);
  }
}

/** Text at the end of a gRPC stream would be read as a frame: such a response is cut instead. */
function isGrpc(exchange: Exchange): boolean {
  return exchange.header('content-type')?.startsWith('application/grpc') === true;
}
