import type { Agent as UndiciAgent, Dispatcher } from 'undici';
import { KnativeError, messageOf } from '../errors.ts';
import { BodyQueue } from './body-queue.ts';
import { makeClientResponse } from './client-response.ts';
import type { ClientRequest, ClientResponse, HttpClient } from './exchange.ts';

import { headerValue } from './raw-headers.ts';
import { parseUrl, type ParsedUrl } from './url.ts';

export interface HttpClientOptions {
  /**
   * Where an authority (`host` or `host:port`) is really reached: another `host:port`, or `undefined` to leave it to DNS. The
   * request keeps its Host header. Default: names under `localhost` go to 127.0.0.1.
   */
  readonly resolve?: (authority: string) => string | undefined;
  /** Connections per origin; default 128. */
  readonly connectionsMax?: number;
  /** How long an idle connection is kept, milliseconds; default 30 s. */
  readonly keepAliveMs?: number;
  /** How long connecting may take, milliseconds; default 10 s. */
  readonly connectTimeoutMs?: number;
}

/** Names under `localhost` resolve in curl and browsers only: send them to the loopback address. */
export function resolveLocalhost(authority: string): string | undefined {
  const match = /^(?:.+\.)?localhost(:\d+)?$/i.exec(authority);
  return match === null ? undefined : `127.0.0.1${match[1] ?? ''}`;
}

/** The real `HttpClient`: pooled keep-alive connections by undici, loaded on the first request. */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const resolve = options.resolve ?? resolveLocalhost;
  let agent: Promise<UndiciAgent> | undefined;
  let closed = false;

  const loadAgent = async (): Promise<UndiciAgent> => {
    const { Agent } = await import('undici');
    return new Agent({
      connections: options.connectionsMax ?? 128,
      keepAliveTimeout: options.keepAliveMs ?? 30_000,
      connect: { timeout: options.connectTimeoutMs ?? 10_000 },
      // Time limits are the caller's, by signal.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  };

  async function request(request: ClientRequest): Promise<ClientResponse> {
    if (closed) throw new KnativeError('HTTP_CLIENT_CLOSED', 'the client has been closed');
    request.signal?.throwIfAborted();
    const parsed = parseUrl(request.url);
    const { url } = parsed;
    agent ??= loadAgent();
    return dispatch(await agent, request, parsed, resolve(url.host) ?? url.host);
  }

  async function close(): Promise<void> {
    closed = true;
    if (agent !== undefined) await (await agent).destroy();
  }
  return { request, close, [Symbol.asyncDispose]: close };
}

async function dispatch(
  agent: UndiciAgent,
  request: ClientRequest,
  { url, target }: ParsedUrl,
  address: string,
): Promise<ClientResponse> {
  const { Readable } = process.getBuiltinModule('node:stream');
  const { body, signal } = request;
  const headers = [...(request.rawHeaders ?? [])];
  if (headerValue(headers, 'host') === undefined) headers.push('host', url.host);
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let failure: Error | undefined;
    const cut = (reason: Error): void => {
      failure ??= reason;
      controller?.abort(reason);
    };
    const queue = new BodyQueue({
      drain: () => controller?.resume(),
      cancel: () => cut(new KnativeError('HTTP_ABORTED', 'the response body was abandoned')),
    });
    const onAbort = (): void => {
      const reason: unknown = signal?.reason;
      cut(reason instanceof Error ? reason : new KnativeError('HTTP_ABORTED', messageOf(reason)));
      if (failure !== undefined) fail(failure);
    };
    const fail = (error: Error): void => {
      signal?.removeEventListener('abort', onAbort);
      const reason = failure ?? connectionError(error, url.host);
      reject(reason);
      queue.fail(reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    agent.dispatch(
      {
        origin: `${url.protocol}//${address}`,
        path: target,
        method: request.method as Dispatcher.HttpMethod,
        headers,
        body:
          body === undefined || typeof body === 'string' || body instanceof Uint8Array
            ? (body ?? null)
            : Readable.from(body, { objectMode: false }),
      },
      {
        onRequestStart(started) {
          controller = started;
          if (failure !== undefined) started.abort(failure);
        },
        onResponseStart(started, status, parsed) {
          if (status < 200) return;
          resolve(makeClientResponse(status, latin1(started.rawHeaders, parsed), queue));
        },
        onResponseData(started, chunk) {
          if (!queue.push(chunk)) started.pause();
        },
        onResponseEnd(started, trailers) {
          signal?.removeEventListener('abort', onAbort);
          queue.end(latin1(started.rawTrailers, trailers));
        },
        onResponseError: (_, error) => fail(error),
      },
    );
  });
}

/** Header arrays as strings of one byte per character, from whatever form undici hands over. */
function latin1(raw: Dispatcher.DispatchController['rawHeaders'], parsed: NodeJS.Dict<string | string[]>): string[] {
  if (Array.isArray(raw)) return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
  return Object.entries(parsed).flatMap(([name, value]) =>
    value === undefined ? [] : typeof value === 'string' ? [name, value] : value.flatMap((item) => [name, item]),
  );
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function connectionError(error: Error, host: string): KnativeError {
  if (KnativeError.is(error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const detail = error.message === '' ? code : error.message;
  return unreachableCodes.has(code)
    ? new KnativeError('HTTP_UNREACHABLE', `cannot connect to ${host}: ${detail}`, { cause: error })
    : new KnativeError('HTTP_CONNECTION_LOST', `request to ${host} failed: ${detail}`, { cause: error });
}
