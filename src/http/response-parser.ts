import { KnativeError } from '../errors.ts';

/** What a response's framing needs to know about the request. */
export interface ResponseSink {
  /** Method of the request that is being answered. */
  readonly method: string;
  /** `headers`: names and values in turn, all of them. Interim answers come through here too, with a status below 200. */
  head(status: number, headers: string[], framing: ResponseFraming): void;
  /** A view into the buffer being parsed: copy what must outlive the call. */
  body(chunk: Buffer): void;
  end(rawTrailers: readonly string[]): void;
  /** Bytes after the head of a 101. */
  tunnel(bytes: Buffer): void;
}

export interface ResponseFraming {
  /** Declared length, -1 for chunked, -2 for "until the connection closes". */
  readonly length: number;
  readonly keepAlive: boolean;
  /** From `Keep-Alive: timeout=N`, milliseconds. */
  readonly keepAliveMs: number | undefined;
}

const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const headBytesMax = 256 * 1024;
const chunkLineBytesMax = 4 * 1024;

const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const forbiddenInValue = /[\x00-\x08\x0a-\x1f\x7f]/;
const digits = /^[0-9]{1,15}$/;
const chunkSize = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/;

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'close' | 'tunnel' | 'done';

/**
 * Parses HTTP/1.x responses strictly: whatever two readers could understand differently (both length headers, bare line breaks,
 * folded lines, odd transfer codings) is an error, never a guess. One instance per connection.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = 'done';
  #rest: Buffer | undefined;
  #remaining = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Expects the response to one more request. */
  start(): void {
    this.#state = 'head';
    this.#rest = undefined;
  }

  /** True between responses. */
  get idle(): boolean {
    return this.#state === 'done';
  }

  /** Throws HTTP_RESPONSE_INVALID; the connection is of no use then. */
  execute(data: Buffer): void {
    let buffer = data;
    if (this.#rest !== undefined) {
      buffer = Buffer.concat([this.#rest, data]);
      this.#rest = undefined;
    }
    let at = 0;
    while (at < buffer.length) {
      const next = this.#step(buffer, at);
      if (next < 0) {
        // What is kept must not be a view into a buffer that the socket will reuse.
        this.#rest = Buffer.from(buffer.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** The backend has closed its side. Throws when that cuts a response short. */
  finish(): void {
    if (this.#state === 'close') {
      this.#state = 'done';
      this.#sink.end([]);
    } else if (this.#state !== 'done')
      throw new KnativeError('HTTP_CONNECTION_LOST', this.#state === 'head' ? 'EOF' : 'unexpected EOF');
  }

  /** Handles one piece at `at` and returns where the next begins, -1 when more data is needed. */
  #step(buffer: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(buffer, at);
      case 'length':
      case 'chunk-data':
        return this.#bytes(buffer, at);
      case 'close':
        this.#sink.body(at === 0 ? buffer : buffer.subarray(at));
        return buffer.length;
      case 'chunk-size':
        return this.#chunkSize(buffer, at);
      case 'chunk-end':
        return this.#chunkEnd(buffer, at);
      case 'trailers':
        return this.#trailers(buffer, at);
      case 'tunnel':
        this.#sink.tunnel(buffer.subarray(at));
        return buffer.length;
      case 'done':
        throw invalid('bytes after the end of the response');
    }
  }

  #head(buffer: Buffer, at: number): number {
    const end = buffer.indexOf(headEnd, at);
    if (end < 0) {
      if (buffer.length - at > headBytesMax) throw invalid(`head larger than ${headBytesMax} bytes`);
      // Without this check a head with bare line breaks would be waited for until a time limit.
      for (let i = buffer.indexOf(10, at); i >= 0; i = buffer.indexOf(10, i + 1)) {
        if (i === at || buffer[i - 1] !== 13) throw invalid('bare line break');
      }
      return -1;
    }
    if (end - at > headBytesMax) throw invalid(`head larger than ${headBytesMax} bytes`);
    const text = buffer.toString('latin1', at, end);
    const firstEnd = text.indexOf('\r\n');
    const first = statusLine.exec(firstEnd < 0 ? text : text.slice(0, firstEnd));
    if (first === null) throw invalid('malformed status line');
    const status = Number(first[2]);
    const headers = firstEnd < 0 ? [] : parseHeaderLines(text, firstEnd + 2);
    const framing = framingOf(this.#sink.method, status, headers, first[1] === '1');
    const next = end + 4;
    if (status < 200) {
      // 101 ends HTTP here; other interim answers are followed by the real one.
      if (status === 101) this.#state = 'tunnel';
      this.#sink.head(status, headers, framing);
      return next;
    }
    this.#state = framing.length > 0 ? 'length' : framing.length === -1 ? 'chunk-size' : framing.length === -2 ? 'close' : 'done';
    this.#remaining = framing.length;
    this.#sink.head(status, headers, framing);
    if (framing.length === 0) this.#sink.end([]);
    return next;
  }

  #bytes(buffer: Buffer, at: number): number {
    const end = Math.min(buffer.length, at + this.#remaining);
    this.#remaining -= end - at;
    const chunk = at === 0 && end === buffer.length ? buffer : buffer.subarray(at, end);
    const last = this.#remaining === 0;
    const inChunk = this.#state === 'chunk-data';
    if (last) this.#state = inChunk ? 'chunk-end' : 'done';
    this.#sink.body(chunk);
    if (last && !inChunk) this.#sink.end([]);
    return end;
  }

  #chunkSize(buffer: Buffer, at: number): number {
    const end = buffer.indexOf(lineEnd, at);
    if (end < 0) {
      if (buffer.length - at > chunkLineBytesMax) throw invalid('chunk size line too long');
      return -1;
    }
    const match = chunkSize.exec(buffer.toString('latin1', at, end));
    if (match === null || end - at > chunkLineBytesMax) throw invalid('malformed chunk size');
    this.#remaining = Number.parseInt(match[1] ?? '', 16);
    this.#state = this.#remaining === 0 ? 'trailers' : 'chunk-data';
    return end + 2;
  }

  #chunkEnd(buffer: Buffer, at: number): number {
    if (buffer.length - at < 2) return -1;
    if (buffer[at] !== 13 || buffer[at + 1] !== 10) throw invalid('chunk longer than its size');
    this.#state = 'chunk-size';
    return at + 2;
  }

  #trailers(buffer: Buffer, at: number): number {
    if (buffer.length - at < 2) return -1;
    if (buffer[at] === 13 && buffer[at + 1] === 10) {
      this.#state = 'done';
      this.#sink.end([]);
      return at + 2;
    }
    const end = buffer.indexOf(headEnd, at);
    if (end < 0) {
      if (buffer.length - at > headBytesMax) throw invalid('trailers too large');
      return -1;
    }
    const trailers = parseHeaderLines(buffer.toString('latin1', at, end), 0);
    this.#state = 'done';
    this.#sink.end(trailers);
    return end + 4;
  }
}

function parseHeaderLines(text: string, start: number): string[] {
  const headers: string[] = [];
  let at = start;
  while (at < text.length) {
    let end = text.indexOf('\r\n', at);
    if (end < 0) end = text.length;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon >= end) throw invalid('header line without a colon');
    const name = text.slice(at, colon);
    const value = text.slice(colon + 1, end);
    // Also refuses folded lines and space before the colon: both begin or end with a character that no token has.
    if (!headerName.test(name)) throw invalid(`malformed header name ${JSON.stringify(name.slice(0, 40))}`);
    // Before trimming, which would take a bare line break away.
    if (forbiddenInValue.test(value)) throw invalid(`control character in header ${name}`);
    headers.push(name, value.trim());
    at = end + 2;
  }
  return headers;
}

function framingOf(method: string, status: number, headers: readonly string[], http11: boolean): ResponseFraming {
  let length: string | undefined;
  let coding: string | undefined;
  let connection = '';
  let keepAliveMs: number | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const size = name.length;
    // Only four names matter, and their lengths tell most others apart.
    if (size !== 14 && size !== 17 && size !== 10) continue;
    const value = headers[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (!digits.test(value) || (length !== undefined && length !== value)) throw invalid('malformed Content-Length');
      length = value;
    } else if (lower === 'transfer-encoding') {
      if (coding !== undefined || value.toLowerCase() !== 'chunked') throw invalid('unsupported Transfer-Encoding');
      coding = value;
    } else if (lower === 'connection')
      connection = connection === '' ? value.toLowerCase() : `${connection},${value.toLowerCase()}`;
    else if (lower === 'keep-alive') {
      const timeout = /timeout=([0-9]{1,6})/.exec(value)?.[1];
      if (timeout !== undefined) keepAliveMs = Number(timeout) * 1000;
    }
  }
  if (length !== undefined && coding !== undefined) throw invalid('both Content-Length and Transfer-Encoding');
  if (coding !== undefined && !http11) throw invalid('Transfer-Encoding in HTTP/1.0');
  const keepAlive = http11 ? !connection.includes('close') : connection.includes('keep-alive');
  const bodyless = method === 'HEAD' || status === 204 || status === 304 || status < 200;
  if (bodyless) return { length: 0, keepAlive, keepAliveMs };
  if (coding !== undefined) return { length: -1, keepAlive, keepAliveMs };
  if (length !== undefined) return { length: Number(length), keepAlive, keepAliveMs };
  return { length: -2, keepAlive: false, keepAliveMs };
}

function invalid(reason: string): KnativeError {
  return new KnativeError('HTTP_RESPONSE_INVALID', `malformed HTTP response: ${reason}`, { status: 502 });
}
