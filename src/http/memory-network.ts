import { KnativeError } from '../errors.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { ClientRequest, ClientResponse, Handler, HttpClient } from './exchange.ts';
import { handle } from './handle.ts';
import { MemoryExchange } from './memory-exchange.ts';
import { parseUrl } from './url.ts';

export interface MemoryNetworkOptions {
  /** Called for an authority that nothing was registered for; default: the request fails with HTTP_UNREACHABLE. */
  readonly fallback?: Handler;
  /** What handlers see as `remoteAddress`; default ''. */
  readonly remoteAddress?: string;
  readonly logger?: Logger;
}

/**
 * Servers and a client without sockets: requests go to the handler that is registered for their authority. Everything happens
 * in microtasks, bodies stream both ways with back-pressure, an abort reaches the handler.
 */
export interface MemoryNetwork {
  /** Listens on `authority` (`host` or `host:port`, without the scheme's default port). Disposing stops it. Taken ones are refused. */
  register(authority: string, handler: Handler): Disposable;
  readonly client: HttpClient;
}

export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const logger = options.logger ?? silentLogger;
  const handlers = new Map<string, Handler>();
  let closed = false;

  async function request(request: ClientRequest): Promise<ClientResponse> {
    if (closed) throw new KnativeError('HTTP_CLIENT_CLOSED', 'the client has been closed');
    request.signal?.throwIfAborted();
    const { url, target } = parseUrl(request.url);
    const handler = handlers.get(url.host) ?? options.fallback;
    if (handler === undefined) {
      throw new KnativeError('HTTP_UNREACHABLE', `nothing listens on ${url.host}`, {
        hint: 'register a handler for this authority',
      });
    }
    const exchange = new MemoryExchange(request, url, target, options.remoteAddress ?? '');
    handle(handler, exchange, logger);
    return exchange.response;
  }

  const close = (): Promise<void> => {
    closed = true;
    return Promise.resolve();
  };
  return {
    register(authority, handler) {
      const key = authority.toLowerCase();
      if (handlers.has(key)) throw new KnativeError('HTTP_ADDRESS_IN_USE', `${key} is taken on the in-memory network`);
      handlers.set(key, handler);
      return {
        [Symbol.dispose]() {
          if (handlers.get(key) === handler) handlers.delete(key);
        },
      };
    },
    client: { request, close, [Symbol.asyncDispose]: close },
  };
}
