import type { BodyFlow, Exchange } from './exchange.ts';

/** The exchange's request as a fetch `Request`, made only when somebody asks. The body streams and can be taken once. */
export function toRequest(exchange: Exchange): Request {
  const headers = new Headers();
  for (let i = 0; i + 1 < exchange.rawHeaders.length; i += 2) {
    const name = exchange.rawHeaders[i] ?? '';
    if (!name.startsWith(':')) headers.append(name, exchange.rawHeaders[i + 1] ?? '');
  }
  const target = exchange.target.startsWith('/') ? exchange.target : '/';
  const url = `${exchange.scheme}://${exchange.host === '' ? 'localhost' : exchange.host}${target}`;
  const init: RequestInit & { duplex?: 'half' } = { method: exchange.method, headers, signal: exchange.signal };
  if (exchange.hasBody && exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    init.body = bodyStream(exchange);
    init.duplex = 'half';
  }
  return new Request(url, init);
}

function bodyStream(exchange: Exchange): ReadableStream<Uint8Array<ArrayBuffer>> {
  let flow: BodyFlow | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        flow = exchange.receive({
          data(chunk) {
            controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
            return (controller.desiredSize ?? 0) > 0;
          },
          end: () => controller.close(),
          error: (error) => controller.error(error),
        });
      },
      pull: () => flow?.resume(),
      cancel: () => flow?.pause(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
  );
}

/** Sends a fetch `Response`. Resolves when the body has been handed over; a body that fails cuts the connection. */
export async function respondWith(exchange: Exchange, response: Response): Promise<void> {
  const rawHeaders: string[] = [];
  for (const [name, value] of response.headers) {
    if (name !== 'transfer-encoding' && name !== 'connection') rawHeaders.push(name, value);
  }
  if (response.body === null) {
    exchange.respond(response.status, rawHeaders);
    return;
  }
  const reader = response.body.getReader();
  const onAbort = (): void => void reader.cancel(exchange.signal.reason).catch(() => undefined);
  exchange.signal.addEventListener('abort', onAbort, { once: true });
  try {
    exchange.writeHead(response.status, rawHeaders);
    for (;;) {
      const { done, value } = await reader.read();
      if (done || exchange.signal.aborted) break;
      if (!exchange.write(value)) await new Promise<void>((resolve) => exchange.onDrain(resolve));
    }
    exchange.end();
  } catch (error) {
    exchange.destroy(error instanceof Error ? error : new Error(String(error)));
  } finally {
    exchange.signal.removeEventListener('abort', onAbort);
  }
}
