// One request over a fresh connection, written byte by byte as the recording says, and the parsed answer.
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';

export interface RecordedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly text?: string; readonly base64?: string; readonly repeat?: string; readonly count?: number };
  readonly chunked?: number;
  readonly raw?: string;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The bytes, or what a recording kept of them. */
  readonly body: Uint8Array | Readonly<Record<string, unknown>>;
  readonly error?: string;
}

const largeBytes = 3000;

export async function exchangeRaw(server: Server, request: RecordedRequest): Promise<WireResponse> {
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<{ bytes: Buffer; error?: string }>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ bytes: Buffer.concat(chunks), error: error.code ?? error.message }),
    );
    socket.on('close', () => resolve({ bytes: Buffer.concat(chunks) }));
    write(socket, request);
  });
  if (answer.bytes.length === 0)
    return { status: 0, headers: new Map(), body: Buffer.alloc(0), error: answer.error ?? 'ECONNRESET' };
  return parse(answer.bytes, request);
}

function write(socket: { write(data: string | Uint8Array): unknown }, request: RecordedRequest): void {
  if (request.raw !== undefined) {
    socket.write(request.raw);
    // A raw request may keep the connection: read until the answer is there.
    if (!/connection: close/i.test(request.raw)) setTimeout(() => (socket as unknown as { end(): void }).end(), 300);
    return;
  }
  const body = bodyOf(request);
  const lines = [`${request.method ?? 'GET'} ${request.path ?? '/'} HTTP/1.1`, 'host: localhost', 'connection: close'];
  for (const [name, value] of Object.entries(request.headers ?? {})) lines.push(`${name}: ${value}`);
  if (request.chunked !== undefined) lines.push('transfer-encoding: chunked');
  else if (body !== undefined || ['POST', 'PUT', 'PATCH'].includes(request.method ?? ''))
    lines.push(`content-length: ${body?.length ?? 0}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (body === undefined) return;
  if (request.chunked === undefined) {
    socket.write(body);
    return;
  }
  for (let at = 0; at < body.length; at += request.chunked) {
    const piece = body.subarray(at, at + request.chunked);
    socket.write(`${piece.length.toString(16)}\r\n`);
    socket.write(piece);
    socket.write('\r\n');
  }
  socket.write('0\r\n\r\n');
}

function bodyOf({ body }: RecordedRequest): Buffer | undefined {
  if (body === undefined) return undefined;
  if (body.text !== undefined) return Buffer.from(body.text);
  if (body.base64 !== undefined) return Buffer.from(body.base64, 'base64');
  return Buffer.from((body.repeat ?? '').repeat(body.count ?? 0));
}

function parse(bytes: Buffer, request: RecordedRequest): WireResponse {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const rest = request.method === 'HEAD' ? Buffer.alloc(0) : bytes.subarray(end + 4);
  // What raw requests got was recorded with its framing.
  const framed = request.raw === undefined && headers.get('transfer-encoding')?.includes('chunked') === true;
  const body = framed ? unchunk(rest) : rest;
  return { status: Number(statusLine.split(' ')[1]), headers, body: summarised(body) };
}

function unchunk(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? 0 : Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

function summarised(body: Buffer): WireResponse['body'] {
  if (body.length <= largeBytes) return body;
  return {
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    head: body.subarray(0, 60).toString('utf8'),
  };
}
