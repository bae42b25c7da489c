import { limits } from '../limits.ts';
import { BodyQueue, bodyTooLarge, joinChunks } from './body-queue.ts';
import type { BodyFlow, Exchange } from './exchange.ts';

const empty = new Uint8Array(0);

/**
 * The whole request body, at most `limitBytes` (default limits.bodyBytesMax). More rejects with HTTP_BODY_TOO_LARGE, whose
 * status is 413; a declared length above the limit is refused before anything is read.
 */
export function readBody(exchange: Exchange, limitBytes: number = limits.bodyBytesMax): Promise<Uint8Array> {
  if (!exchange.hasBody) return Promise.resolve(empty);
  const declared = exchange.header('content-length');
  if (declared !== undefined && Number(declared) > limitBytes) return Promise.reject(bodyTooLarge(limitBytes));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let totalBytes = 0;
    const flow: BodyFlow = exchange.receive({
      data(chunk) {
        totalBytes += chunk.byteLength;
        if (totalBytes > limitBytes) {
          // The rest stays unread: the transport closes the connection after the answer.
          queueMicrotask(() => flow.pause());
          reject(bodyTooLarge(limitBytes));
          return false;
        }
        chunks.push(chunk);
        return true;
      },
      end: () => resolve(joinChunks(chunks, totalBytes)),
      error: reject,
    });
  });
}

/** The request body as it arrives, with back-pressure; consumed once. Leaving the loop early stops reading. */
export function bodyOf(exchange: Exchange): AsyncIterable<Uint8Array> {
  if (!exchange.hasBody) {
    const none = new BodyQueue({ drain: () => undefined, cancel: () => undefined });
    none.end();
    return none;
  }
  const queue = new BodyQueue({ drain: () => flow.resume(), cancel: () => flow.pause() });
  const flow = exchange.receive({
    data: (chunk) => queue.push(chunk),
    end: (rawTrailers) => queue.end(rawTrailers),
    error: (error) => queue.fail(error),
  });
  return queue;
}
