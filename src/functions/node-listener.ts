import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Handler } from '../http/exchange.ts';
import { handle } from '../http/handle.ts';
import { NodeExchange, type ServerState } from '../http/node-exchange.ts';
import type { Logger } from '../logger.ts';

/** A `(request, response)` listener of node:http, or of a framework that keeps these objects, over a handler. */
export function createNodeListener(
  handler: Handler,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const state = listenerState();
  return (request, response) => handle(handler, new NodeExchange(request, response, state, 'http', false), logger);
}

/** State of exchanges whose server belongs to somebody else, who also drains it. */
export function listenerState(): ServerState {
  return { draining: false, discardTimeoutMs: 5_000, closed: () => undefined };
}

/** Answers what node:http's parser refuses with the JSON object that faas-js-runtime's server sends. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, reason] =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'Request Header Fields Too Large']
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? [408, 'Request Timeout']
          : [400, 'Bad Request'];
    const body = JSON.stringify({ error: reason, message: 'Client Error', statusCode: status });
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${body}`,
    );
    socket.destroySoon();
  });
}
