import { KnativeError } from '../errors.ts';
import type { BodySink, Exchange } from '../http/exchange.ts';
import { parseForm } from './form.ts';

/** Bytes beyond the limit that are read and thrown away, so that the client can take in the 413 before the connection ends. */
const discardedBytesMax = 16 * 1024 * 1024;

function tooLarge(limitBytes: number): KnativeError {
  return new KnativeError('FUNCTIONS_BODY_TOO_LARGE', 'Request body is too large', {
    status: 413,
    hint: `the limit is ${limitBytes} bytes; the option bodyBytesMax changes it`,
  });
}

/** Gets the bytes of a body, or the error: larger than the limit (413) or cut off by the client. */
export type BodyDone = (error: Error | undefined, bytes: Uint8Array) => void;

/**
 * Reads the body and calls `done` once. Callbacks and one object instead of promises and closures, because this is on the path of
 * every event.
 */
export function collectBody(exchange: Exchange, declaredLength: string | undefined, limitBytes: number, done: BodyDone): void {
  const collector = new BodyCollector(exchange, limitBytes, done);
  exchange.receive(collector);
  if (declaredLength !== undefined && Number(declaredLength) > limitBytes) collector.refuse();
}

class BodyCollector implements BodySink {
  readonly #exchange: Exchange;
  readonly #limitBytes: number;
  #done: BodyDone | undefined;
  #first: Uint8Array | undefined = undefined;
  #chunks: Uint8Array[] | undefined = undefined;
  #totalBytes = 0;

  constructor(exchange: Exchange, limitBytes: number, done: BodyDone) {
    this.#exchange = exchange;
    this.#limitBytes = limitBytes;
    this.#done = done;
  }

  data(chunk: Uint8Array): void {
    this.#totalBytes += chunk.byteLength;
    if (this.#totalBytes > this.#limitBytes) {
      this.#chunks = undefined;
      this.refuse();
      if (this.#totalBytes > this.#limitBytes + discardedBytesMax) this.#exchange.destroy();
    } else if (this.#first === undefined) this.#first = chunk;
    else if (this.#chunks === undefined) this.#chunks = [this.#first, chunk];
    else this.#chunks.push(chunk);
  }

  end(): void {
    this.#settle(undefined, this.#chunks === undefined ? (this.#first ?? none) : Buffer.concat(this.#chunks, this.#totalBytes));
  }

  error(error: Error): void {
    this.#settle(error, none);
  }

  refuse(): void {
    this.#settle(tooLarge(this.#limitBytes), none);
  }

  #settle(error: Error | undefined, bytes: Uint8Array): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error, bytes);
  }
}

const none: Uint8Array = Buffer.alloc(0);

/** What a content type makes of a body. */
export type BodyForm = 'json' | 'text' | 'form' | 'bytes';

const formsSeen = new Map<string, BodyForm>();
const formsSeenMax = 256;

/** How a body of this content type is given to the function. `vendorJson`: whether `+json` types count as JSON. */
export function bodyFormOf(contentType: string, vendorJson: boolean): BodyForm {
  const key = vendorJson ? contentType : `-${contentType}`;
  const seen = formsSeen.get(key);
  if (seen !== undefined) return seen;
  const end = contentType.indexOf(';');
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  let form: BodyForm = 'bytes';
  if (type === 'application/json' || (vendorJson && type.endsWith('+json'))) form = 'json';
  else if (type === 'text/plain' || (vendorJson && type.startsWith('text/')) || type === 'application/cloudevents+json')
    form = 'text';
  else if (type === 'application/x-www-form-urlencoded') form = 'form';
  if (formsSeen.size < formsSeenMax) formsSeen.set(key, form);
  return form;
}

/** The body as text in the charset that the content type names (UTF-8 without one); an unknown charset is a 415. */
export function textOf(bytes: Uint8Array, contentType: string): string {
  const buffer = asBuffer(bytes);
  if (!contentType.includes('=')) return buffer.toString('utf8');
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-8' || charset === 'utf8') return buffer.toString('utf8');
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_CHARSET_UNKNOWN', `unsupported charset ${JSON.stringify(charset)}`, { status: 415, cause });
  }
}

/** A view of the same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The value that a function gets for a body. Throws with status 400 or 415. */
export function parseBody(bytes: Uint8Array, contentType: string | undefined, vendorJson: boolean): unknown {
  const form = contentType === undefined ? 'bytes' : bodyFormOf(contentType, vendorJson);
  if (form === 'bytes' || contentType === undefined) return asBuffer(bytes);
  const text = textOf(bytes, contentType);
  if (form === 'text') return text;
  return form === 'form' ? parseForm(text) : parseJson(text);
}

/** Parses JSON; what is not JSON, or tries to reach a prototype, is a 400. */
export function parseJson(text: string): unknown {
  if (text === '') {
    throw new KnativeError('FUNCTIONS_BODY_INVALID', 'the body is empty but its content type is JSON', { status: 400 });
  }
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_BODY_INVALID', cause instanceof Error ? cause.message : String(cause), {
      status: 400,
      cause,
    });
  }
  if (mayReachPrototype.test(text)) refusePrototypes(value);
  return value;
}

// Also names written with escapes; only texts that match are walked.
const mayReachPrototype = /__proto__|constructor|\\u00(?:5f|[67])/i;

function refusePrototypes(value: unknown): void {
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== 'object' || next === null) continue;
    const holder = next as Readonly<Record<string, unknown>>;
    const constructed = Object.hasOwn(holder, 'constructor') ? holder['constructor'] : undefined;
    if (
      Object.hasOwn(holder, '__proto__') ||
      (typeof constructed === 'object' && constructed !== null && Object.hasOwn(constructed, 'prototype'))
    ) {
      throw new KnativeError('FUNCTIONS_BODY_INVALID', 'Object contains forbidden prototype property', { status: 400 });
    }
    for (const key of Object.keys(holder)) pending.push(holder[key]);
  }
}

/** Decodes gzip, deflate and br within the limit: 413 beyond it, 415 for other encodings, 400 for broken data. */
export function decodeContent(
  bytes: Uint8Array,
  encoding: string,
  limitBytes: number,
  done: (error: Error | undefined, bytes: Uint8Array) => void,
): void {
  const zlib = process.getBuiltinModule('node:zlib');
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || name === '') {
    done(undefined, bytes);
    return;
  }
  const decoded = (error: Error | null, result: Uint8Array): void => {
    if (error === null) done(undefined, result);
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') done(tooLarge(limitBytes), bytes);
    else
      done(new KnativeError('FUNCTIONS_BODY_INVALID', `the body is no valid ${name} data`, { status: 400, cause: error }), bytes);
  };
  const bounds = { maxOutputLength: limitBytes };
  if (name === 'gzip' || name === 'x-gzip') zlib.gunzip(bytes, bounds, decoded);
  else if (name === 'deflate') zlib.inflate(bytes, bounds, decoded);
  else if (name === 'br') zlib.brotliDecompress(bytes, bounds, decoded);
  else
    done(
      new KnativeError('FUNCTIONS_ENCODING_UNKNOWN', `unsupported content encoding ${JSON.stringify(encoding)}`, { status: 415 }),
      bytes,
    );
}
