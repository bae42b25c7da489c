import { createMemoryNetwork, type Handler, type HttpClient } from '../http/index.ts';

export interface LocalClientOptions {
  /** The host's own entrance for requests from inside. */
  readonly handler: Handler;
  /** Domain of the routes. */
  readonly domain: string;
  /** Sends everything that is not this host's; `undefined` refuses it, as on the in-memory network. */
  readonly outside: HttpClient | undefined;
}

/**
 * Sends requests from inside of the host: names of the cluster (`*.svc.cluster.local`) and of its domain go straight to the host's
 * own entrance, without a socket and without DNS, everything else to the outside.
 */
export function createLocalClient({ handler, domain, outside }: LocalClientOptions): HttpClient {
  const inside = createMemoryNetwork({ fallback: handler, remoteAddress: '127.0.0.1' });
  const isInside = (url: string): boolean => {
    const hostname = URL.parse(url)?.hostname ?? '';
    return (
      outside === undefined ||
      hostname.endsWith('.svc.cluster.local') ||
      hostname.endsWith('.svc') ||
      hostname.endsWith(`.${domain}`)
    );
  };
  const close = async (): Promise<void> => {
    await Promise.all([inside.client.close(), outside?.close()]);
  };
  return {
    request: (request) => (outside === undefined || isInside(request.url) ? inside.client : outside).request(request),
    close,
    [Symbol.asyncDispose]: close,
  };
}
