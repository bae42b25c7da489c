import type { Handler } from '../http/exchange.ts';
import { respondText } from '../http/handle.ts';
import { createHttpServer, type HttpServer, type HttpServerAddress } from '../http/server.ts';

/** A server that listens before its function is there: opening a port takes as long as all the rest of a pre-started start. */
export interface OpenServer {
  readonly server: HttpServer;
  readonly address: HttpServerAddress;
  /** Requests go here from now on; until the first call they are answered 503. */
  answerWith(handler: Handler): void;
}

/** Listens on a loopback port that the system chooses. */
export async function openServer(): Promise<OpenServer> {
  let current: Handler = (exchange) => respondText(exchange, 503, 'no function has been started here yet');
  const server = createHttpServer({ handler: (exchange) => current(exchange) });
  const address = await server.listen();
  return {
    server,
    address,
    answerWith(handler) {
      current = handler;
    },
  };
}
