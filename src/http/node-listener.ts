import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { silentLogger, type Logger } from '../logger.ts';
import type { Handler } from './exchange.ts';
import { handle } from './handle.ts';
import { NodeExchange, NodeUpgradeExchange, type ServerState } from './node-exchange.ts';

/** Listeners for a server that exists already (node:http, node:https, Express, Fastify's raw one). */
export interface NodeListener {
  /** For `request`, or as a middleware that answers whatever reaches it. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  /** For `upgrade`, where the handler should get WebSockets too. */
  readonly upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

/** A handler of this package as listeners for somebody else's server. Limits, drain and HTTP/2 are that server's business. */
export function createNodeListener(handler: Handler, options: { readonly logger?: Logger } = {}): NodeListener {
  const logger = options.logger ?? silentLogger;
  const state: ServerState = { draining: false, discardTimeoutMs: 5_000, closed: () => undefined };
  const schemeOf = (request: IncomingMessage): 'http' | 'https' => ('encrypted' in request.socket ? 'https' : 'http');
  return {
    request(request, response) {
      const exchange = new NodeExchange(request, response, state, schemeOf(request), false);
      if (exchange.acceptable) handle(handler, exchange, logger);
      else exchange.respond(400, ['connection', 'close']);
    },
    upgrade(request, socket, firstBytes) {
      const { ServerResponse } = process.getBuiltinModule('node:http');
      const reply = new ServerResponse(request);
      reply.assignSocket(socket);
      handle(handler, new NodeUpgradeExchange(request, reply, state, schemeOf(request), { socket, firstBytes }), logger);
    },
  };
}
