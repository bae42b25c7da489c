// Functions inside other frameworks' servers. The frameworks are not imported: what is needed of them is described by types here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyFlow, BodySink } from '../http/exchange.ts';
import { handle } from '../http/handle.ts';
import { NodeExchange } from '../http/node-exchange.ts';
import { silentLogger } from '../logger.ts';
import { createFetchHandler, handlerOf, type Mountable } from './fetch-handler.ts';
import type { FunctionRuntimeOptions } from './function-runtime.ts';
import { listenerState } from './node-listener.ts';

/** A request whose body another middleware may have parsed. */
type MaybeParsed = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown };

/** An Express (or Connect) middleware that answers every request it sees: `app.use('/orders', expressMiddleware(orders))`. */
export function expressMiddleware(
  mountable: Mountable,
  options: FunctionRuntimeOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const handler = handlerOf(mountable, options);
  const logger = options.logger ?? silentLogger;
  const state = listenerState();
  return (request, response) => handle(handler, new ParsedBodyExchange(request, response, state, 'http', false), logger);
}

// A body parser may have read the stream already: then the function gets what was parsed, written out again.
class ParsedBodyExchange extends NodeExchange {
  override receive(sink: BodySink): BodyFlow {
    const bytes = this.request.readableEnded ? parsedBytes(this.request) : undefined;
    if (bytes === undefined) return super.receive(sink);
    queueMicrotask(() => {
      sink.data(bytes);
      sink.end([]);
    });
    return { pause: () => undefined, resume: () => undefined };
  }
}

function parsedBytes(request: MaybeParsed): Uint8Array | undefined {
  const { rawBody, body } = request;
  if (rawBody instanceof Uint8Array) return rawBody;
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (body === undefined) return Buffer.alloc(0);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return Buffer.from(JSON.stringify(body));
  return Buffer.from(new URLSearchParams(body as Record<string, string>).toString());
}

/** The part of a Fastify instance that the plugin uses. */
interface FastifyLike {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: string, parser: (request: unknown, payload: unknown, done: (error: null) => void) => void): void;
  all(path: string, handler: (request: { readonly raw: IncomingMessage }, reply: FastifyReplyLike) => unknown): void;
}

interface FastifyReplyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/** A Fastify plugin that hands every request below its prefix to the function: `app.register(fastifyPlugin(orders), { prefix: '/orders' })`. */
export function fastifyPlugin(
  mountable: Mountable,
  options: FunctionRuntimeOptions = {},
): (instance: FastifyLike) => Promise<void> {
  const listener = expressMiddleware(mountable, options);
  return (instance) => {
    // The function parses bodies itself.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const answer = (request: { readonly raw: IncomingMessage }, reply: FastifyReplyLike): void => {
      reply.hijack();
      listener(request.raw, reply.raw);
    };
    instance.all('/', answer);
    instance.all('/*', answer);
    return Promise.resolve();
  };
}

/** A Hono handler: `app.all('/orders/*', honoHandler(orders))`. */
export function honoHandler(
  mountable: Mountable,
  options: FunctionRuntimeOptions = {},
): (context: { readonly req: { readonly raw: Request } }) => Promise<Response> {
  const answer = createFetchHandler(mountable, options);
  return (context) => answer(context.req.raw);
}
