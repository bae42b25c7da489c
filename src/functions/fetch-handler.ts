import type { ClientRequest, Handler } from '../http/exchange.ts';
import { createMemoryNetwork } from '../http/memory-network.ts';
import { rawHeadersFrom } from '../http/raw-headers.ts';
import type { FunctionDefinition } from './define-function.ts';
import { createFunctionRuntime, type FunctionRuntime, type FunctionRuntimeOptions } from './function-runtime.ts';

/** A function, or a runtime of one that its owner starts and closes. */
export type Mountable = FunctionDefinition | FunctionRuntime;

/** The handler of either. */
export function handlerOf(mountable: Mountable, options: FunctionRuntimeOptions = {}): Handler {
  return 'handler' in mountable ? mountable.handler : createFunctionRuntime(mountable, options).handler;
}

/** A function as `(Request) => Promise<Response>`, the interface of Hono, Bun, Deno and service workers. Bodies stream both ways. */
export function createFetchHandler(
  mountable: Mountable,
  options: FunctionRuntimeOptions = {},
): (request: Request) => Promise<Response> {
  const { client } = createMemoryNetwork({
    fallback: handlerOf(mountable, options),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return async (request) => {
    const sent: ClientRequest = {
      method: request.method,
      url: request.url,
      rawHeaders: rawHeadersFrom(request.headers),
      signal: request.signal,
      ...(request.body === null ? {} : { body: request.body }),
    };
    const answer = await client.request(sent);
    const headers = new Headers();
    for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
      headers.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '');
    }
    const bodyless = answer.status === 204 || answer.status === 304 || request.method === 'HEAD';
    return new Response(bodyless ? null : toStream(answer.body), { status: answer.status, headers });
  };
}

function toStream(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    async cancel() {
      await pieces.return?.();
    },
  });
}
