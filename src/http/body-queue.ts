import { KnativeError } from '../errors.ts';
import { limits } from '../limits.ts';

/** Bytes that a reader may leave unread before the writer is asked to wait. */
export const bodyBufferBytes = 64 * 1024;

/** What a queue tells its writer. */
export interface BodyQueueListener {
  /** The reader has taken enough: write on. */
  drain(): void;
  /** The reader has given up before the end. */
  cancel(): void;
}

/**
 * A body between a pushing writer and a pulling reader. Only microtasks, so that a virtual clock can settle. The reader takes
 * it once; leaving the loop early cancels.
 */
export class BodyQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #listener: BodyQueueListener;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #ended = false;
  #error: Error | undefined;
  #taken = false;
  #cancelled = false;
  #wantsDrain = false;
  #waiting: { resolve: (result: IteratorResult<Uint8Array, undefined>) => void; reject: (error: Error) => void } | undefined;
  #rawTrailers: readonly string[] = [];

  constructor(listener: BodyQueueListener) {
    this.#listener = listener;
  }

  /** Trailers, known once the body has ended. */
  get rawTrailers(): readonly string[] {
    return this.#rawTrailers;
  }

  /** False when the writer should wait for `drain`. */
  push(chunk: Uint8Array): boolean {
    if (this.#ended || this.#cancelled || this.#error !== undefined) return true;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ value: chunk, done: false });
      return true;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.byteLength;
    if (this.#bufferedBytes < bodyBufferBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  end(rawTrailers: readonly string[] = []): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#ended = true;
    this.#rawTrailers = rawTrailers;
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#taken)
      throw new KnativeError('HTTP_BODY_CONSUMED', 'the body has been read already', {
        hint: 'read it once and keep the result',
      });
    this.#taken = true;
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bufferedBytes -= chunk.byteLength;
      if (this.#wantsDrain && this.#bufferedBytes < bodyBufferBytes / 2) {
        this.#wantsDrain = false;
        this.#listener.drain();
      }
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended || this.#cancelled) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#ended && !this.#cancelled && this.#error === undefined) {
      this.#cancelled = true;
      this.#listener.cancel();
    }
    this.#chunks = [];
    return Promise.resolve({ value: undefined, done: true });
  }
}

/** Joins chunks; the single chunk itself when there is only one. */
export function joinChunks(chunks: readonly Uint8Array[], totalBytes: number): Uint8Array {
  const only = chunks[0];
  if (only === undefined) return new Uint8Array(0);
  if (chunks.length === 1) return only;
  const whole = new Uint8Array(totalBytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The error for a body above its limit; edges answer it with 413. */
export function bodyTooLarge(limitBytes: number): KnativeError {
  return new KnativeError('HTTP_BODY_TOO_LARGE', `the body is larger than ${limitBytes} bytes`, { status: 413 });
}

/** Reads a whole body of at most `limitBytes` (default limits.bodyBytesMax); more rejects with HTTP_BODY_TOO_LARGE. */
export async function collectBody(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number = limits.bodyBytesMax,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const chunk of body) {
    totalBytes += chunk.byteLength;
    if (totalBytes > limitBytes) throw bodyTooLarge(limitBytes);
    chunks.push(chunk);
  }
  return joinChunks(chunks, totalBytes);
}
