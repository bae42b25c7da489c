/**
 * One request and its response as the package's servers, gateways and handlers see it: raw headers, a pushed body, no
 * `Request` or `Response` objects until somebody asks (`toRequest`). node:http servers and the in-memory transport produce it.
 */
export interface Exchange {
  readonly method: string;
  /** Origin form: path and query, never empty. */
  readonly target: string;
  /** The authority as received: Host header or :authority, '' when absent. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  /** Value of a header by lower-case name; several are joined with ', '. */
  header(name: string): string | undefined;
  /** Address of the peer, '' on the in-memory transport unless given. */
  readonly remoteAddress: string;
  /** Aborts when the client goes away before the response is complete. Made on first use. */
  readonly signal: AbortSignal;

  /** True when the request can carry a body that has not been consumed. */
  readonly hasBody: boolean;
  /** Starts the flow of the request body into `sink`; once only. */
  receive(sink: BodySink): BodyFlow;

  readonly headSent: boolean;
  /** Interim response (100, 103). */
  writeInformational(status: number, rawHeaders?: readonly string[]): void;
  /** Sends status and headers (names and values in turn); framing headers are the transport's business. */
  writeHead(status: number, rawHeaders?: readonly string[]): void;
  /** Sends a piece of the body; false when the caller should wait for `onDrain`. */
  write(chunk: Uint8Array): boolean;
  /** Calls `resume` once, when more can be written or when the exchange has ended. */
  onDrain(resume: () => void): void;
  end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void;
  /** Head and whole body in one write. */
  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void;
  /** Cuts the connection or stream: the client sees a broken response. */
  destroy(error?: Error): void;
  /** Calls `listener` once when the response has been handed over completely (`undefined`) or has failed (the error). */
  onFinished(listener: (error: Error | undefined) => void): void;

  /** Protocols that the client asks to switch to (its Upgrade header), only where the transport can switch. */
  readonly upgrade?: string | undefined;
  /** Answers 101 with these headers and hands over the connection. Only when `upgrade` is set. */
  acceptUpgrade?(rawHeaders: readonly string[]): Tunnel;
}

/** A connection after a switch of protocols: bytes both ways. */
export interface Tunnel {
  /** Starts the flow of bytes from the client; `end` when it half-closes. */
  receive(sink: BodySink): BodyFlow;
  /** False when the caller should wait for `onDrain`. */
  write(chunk: Uint8Array): boolean;
  onDrain(resume: () => void): void;
  /** Half-closes after what was written. */
  end(): void;
  destroy(error?: Error): void;
}

/** Where a body goes. Exactly one of `end` and `error` is called, last. */
export interface BodySink {
  /** May return false to ask for a pause; `BodyFlow.resume` continues. */
  data(chunk: Uint8Array): boolean | undefined | void;
  end(rawTrailers?: readonly string[]): void;
  error(error: Error): void;
}

export interface BodyFlow {
  pause(): void;
  resume(): void;
}

/** Answers an exchange. A promise that rejects, or a throw, becomes a 500 when the head is not sent, a cut connection after. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

/** A request to be sent. */
export interface ClientRequest {
  readonly method: string;
  /** Absolute http or https URL. */
  readonly url: string;
  readonly rawHeaders?: readonly string[];
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** The answer to a `ClientRequest`; the promise for it resolves with the head. */
export interface ClientResponse {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  header(name: string): string | undefined;
  /** The body as it arrives; consumed once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body, at most `limitBytes` (default limits.bodyBytesMax; more rejects with HTTP_BODY_TOO_LARGE). */
  bytes(limitBytes?: number): Promise<Uint8Array>;
  text(limitBytes?: number): Promise<string>;
}

/**
 * The transport port for requests that the package sends itself (deliveries, probes, sinks, `host.fetch`). The real one pools
 * connections; the in-memory one hands the exchange to a registered `Handler`. Time-outs are the caller's, by signal.
 */
export interface HttpClient extends AsyncDisposable {
  request(request: ClientRequest): Promise<ClientResponse>;
  close(): Promise<void>;
}
