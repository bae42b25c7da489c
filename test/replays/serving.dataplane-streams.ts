// The data-plane cases that need a socket: WebSocket over a raw connection, and HTTP/2 with prior knowledge.
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { sleep, type Clock } from '../../src/clock.ts';
import { socketClient } from './serving.client.ts';
import { canonicalHeaders } from './serving.container.ts';

/** Sends a frame every 300 ms for two seconds and tells when the connection was found closed, -1 for never. */
export async function runWebSocket(port: number, clock: Clock): Promise<unknown> {
  const socket = connect(port, '127.0.0.1');
  const reader = createReader(socket);
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: hello.default.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const head = await reader.until((text) => text.includes('\r\n\r\n'));
  const [statusLine = '', ...lines] = head.split('\r\n\r\n')[0]?.split('\r\n') ?? [];
  const headers = canonicalHeaders(
    lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    new Set(['Date']),
  );
  const startMs = clock.monotonic();
  let firstEcho = '';
  let closedAtMs = -1;
  for (let i = 0; i < 7; i++) {
    reader.clear();
    socket.write(frame('hi'));
    const echo = await reader.until((text) => text.includes('hi'));
    if (!echo.includes('hi')) {
      closedAtMs = clock.monotonic() - startMs;
      break;
    }
    if (firstEcho === '') firstEcho = echo.slice(2);
    await sleep(clock, Math.max(0, startMs + (i + 1) * 300 - clock.monotonic()));
  }
  socket.destroy();
  return { status: Number(statusLine.split(' ')[1]), headers, firstEcho, connectionClosedAtMsApprox: closedAtMs };
}

function frame(text: string): Buffer {
  const mask = [1, 2, 3, 4];
  const payload = [...Buffer.from(text)].map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.from([0x81, 0x80 | payload.length, ...mask, ...payload]);
}

interface Reader {
  /** Everything received since `clear`, as soon as it satisfies `enough` or the connection has ended. */
  until(enough: (text: string) => boolean): Promise<string>;
  clear(): void;
}

function createReader(socket: Socket): Reader {
  let text = '';
  let closed = false;
  let wake = (): void => undefined;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    wake();
  });
  return {
    async until(enough) {
      while (!closed && !enough(text)) await new Promise<void>((resolve) => (wake = resolve));
      return text;
    },
    clear() {
      text = '';
    },
  };
}

/** One request by the protocol that the case names, with the headers that the recorder's client sends by itself. */
export async function runH2c(port: number, request: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { method, path, body } = request;
  const http2 = String(request['clientProtocol']).startsWith('HTTP/2');
  if (!http2) {
    const client = socketClient(port, {
      now: () => 0,
      monotonic: () => 0,
      setTimer: () => ({ [Symbol.dispose]: () => undefined }),
    });
    const headers = ['User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'];
    const answer = await client({ method: String(method), path: String(path), headers, body: String(body) });
    return { body: answer.body, proto: 'HTTP/1.1', status: answer.status };
  }
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ':method': String(method),
      ':path': String(path),
      ':authority': 'hello.default.example.com',
      'user-agent': 'Go-http-client/2.0',
      'accept-encoding': 'gzip',
      'content-length': String(body).length,
    });
    stream.end(String(body));
    const status = await new Promise<number>((resolve, reject) => {
      stream.on('response', (headers) => resolve(Number(headers[':status'])));
      stream.on('error', reject);
    });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return { body: text, proto: 'HTTP/2.0', status };
  } finally {
    session.destroy();
  }
}
