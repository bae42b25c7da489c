import type { Exchange } from '../http/exchange.ts';

/** A body that comes in pieces: web and Node streams, async generators. Pieces are bytes or text. */
export type StreamBody = AsyncIterable<unknown>;

export function isStream(value: object): value is StreamBody {
  return Symbol.asyncIterator in value;
}

/**
 * Sends pieces as they come, at the speed at which the client takes them. Without a content type the first piece decides: text
 * or bytes. An error before the first piece is thrown (and becomes an error answer), a later one cuts the connection.
 */
export async function sendStream(
  exchange: Exchange,
  status: number,
  rawHeaders: readonly string[],
  stream: StreamBody,
): Promise<void> {
  const pieces = stream[Symbol.asyncIterator]();
  const hasType = rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
  const onAbort = (): void => void Promise.resolve(pieces.return?.()).catch(() => undefined);
  exchange.signal.addEventListener('abort', onAbort, { once: true });
  try {
    let started = false;
    for (;;) {
      const { done, value } = await pieces.next();
      if (exchange.signal.aborted) return;
      if (!started) {
        started = true;
        const type = typeof value === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
        exchange.writeHead(status, hasType ? rawHeaders : [...rawHeaders, 'content-type', type]);
      }
      if (done === true) break;
      const chunk = chunkOf(value);
      if (chunk.byteLength > 0 && !exchange.write(chunk)) await new Promise<void>((resolve) => exchange.onDrain(resolve));
    }
    exchange.end();
  } finally {
    exchange.signal.removeEventListener('abort', onAbort);
  }
}

function chunkOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw new TypeError(`a streamed response yielded ${typeof value}: yield text or bytes`);
}
