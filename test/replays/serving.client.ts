// Clients that record an answer as the data-plane recordings have it: raw over a socket, and on the in-memory network.
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../src/clock.ts';
import { type HttpClient } from '../../src/http/index.ts';
import { canonicalHeaders } from './serving.container.ts';

export interface RecordedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  /** Lines `Name: value`. */
  readonly headers?: readonly string[] | null;
  readonly body?: string;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly contentLength?: number;
  readonly transferEncoding?: readonly string[];
  readonly trailers?: Readonly<Record<string, readonly string[]>>;
  readonly bodyError?: string;
  readonly elapsedMsApprox: number;
}

export type Client = (request: RecordedRequest) => Promise<RecordedResponse>;

const notRecorded = new Set(['Date', 'Connection', 'Transfer-Encoding', 'Keep-Alive', 'Trailer']);
const truncated = 'unexpected EOF (truncated)';

export function memoryClient(client: HttpClient, authority: string, clock: Clock): Client {
  return async ({ method = 'GET', path = '/', host = 'hello.default.example.com', headers, body = '' }) => {
    const startMs = clock.monotonic();
    const rawHeaders = ['Host', host, ...(headers ?? []).flatMap((line) => splitLine(line))];
    const response = await client.request({
      method,
      url: `http://${authority}${path}`,
      rawHeaders,
      ...(body === '' ? {} : { body }),
    });
    let text = '';
    let bodyError: string | undefined;
    try {
      for await (const chunk of response.body) text += new TextDecoder().decode(chunk);
    } catch {
      bodyError = truncated;
    }
    const trailers = 'rawTrailers' in response.body ? (response.body.rawTrailers as readonly string[]) : [];
    return record(response.status, response.rawHeaders, text, trailers, bodyError, clock.monotonic() - startMs);
  };
}

export function socketClient(port: number, clock: Clock): Client {
  return async ({ method = 'GET', path = '/', host = 'hello.default.example.com', headers, body = '' }) => {
    const startMs = clock.monotonic();
    const socket = connect(port, '127.0.0.1');
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...(headers ?? []), 'Connection: close'];
    if (body !== '' && !(headers ?? []).some((line) => /^content-length:/i.test(line)))
      lines.push(`Content-Length: ${body.length}`);
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
    const answer = parseResponse(await readAll(socket), method);
    return record(answer.status, answer.headers, answer.body, answer.trailers, answer.bodyError, clock.monotonic() - startMs);
  };
}

function record(
  status: number,
  rawHeaders: readonly string[],
  body: string,
  trailers: readonly string[],
  bodyError: string | undefined,
  elapsedMs: number,
): RecordedResponse {
  const headers = canonicalHeaders(rawHeaders, notRecorded);
  const length = headers['Content-Length']?.[0];
  const known = length !== undefined ? Number(length) : status === 204 || status === 304 ? 0 : undefined;
  return {
    status,
    headers,
    body,
    ...(known === undefined ? { transferEncoding: ['chunked'] } : { contentLength: known }),
    ...(trailers.length === 0 ? {} : { trailers: canonicalHeaders(trailers, new Set()) }),
    ...(bodyError === undefined ? {} : { bodyError }),
    elapsedMsApprox: Math.round(elapsedMs / 100) * 100,
  };
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf(':');
  return [line.slice(0, at), line.slice(at + 1).trim()];
}

function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

interface ParsedResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly bodyError: string | undefined;
}

function parseResponse(raw: string, method: string): ParsedResponse {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: [], body: raw, trailers: [], bodyError: truncated };
  const [statusLine = '', ...lines] = raw.slice(0, end).split('\r\n');
  const headers = lines.flatMap((line) => splitLine(line));
  const status = Number(statusLine.split(' ')[1]);
  const rest = raw.slice(end + 4);
  const lower = lines.map((line) => line.toLowerCase());
  const bodyless = method === 'HEAD' || status === 204 || status === 304;
  if (bodyless) return { status, headers, body: rest, trailers: [], bodyError: undefined };
  if (lower.includes('transfer-encoding: chunked')) return { status, headers, ...parseChunks(rest) };
  const length = lower.find((line) => line.startsWith('content-length:'));
  const short = length !== undefined && rest.length < Number(length.slice(15));
  return { status, headers, body: rest, trailers: [], bodyError: short ? truncated : undefined };
}

function parseChunks(raw: string): {
  readonly body: string;
  readonly trailers: readonly string[];
  readonly bodyError: string | undefined;
} {
  let at = 0;
  let body = '';
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    if (end < 0) return { body, trailers: [], bodyError: truncated };
    const size = Number.parseInt(raw.slice(at, end), 16);
    if (size === 0) {
      const trailers = raw
        .slice(end + 2)
        .split('\r\n')
        .filter((line) => line !== '');
      return { body, trailers: trailers.flatMap((line) => splitLine(line)), bodyError: undefined };
    }
    body += raw.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}
