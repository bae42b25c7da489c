import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer, readBody, type Exchange, type Handler, type HttpServerLimits } from '../../src/http/index.ts';
import { dial } from './raw.ts';
import { deferred } from './transports.ts';

const echo: Handler = async (exchange) => {
  const body = new TextDecoder().decode(await readBody(exchange));
  exchange.respond(200, [], `${exchange.host} ${exchange.target} ${body}`);
};

async function serve(handler: Handler = echo, limits: HttpServerLimits = {}): Promise<number> {
  const server = createHttpServer({ handler, limits });
  const { port } = await server.listen();
  onTestFinished(() => server.close(0));
  return port;
}

const statusOf = (answer: string): string => answer.split('\r\n')[0] ?? '';

test.each([
  [
    'both length headers',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    '400 Bad Request',
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello', '400 Bad Request'],
  ['a length that is no number', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello', '400 Bad Request'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n', '400 Bad Request'],
  ['a bare carriage return in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', '400 Bad Request'],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', '400 Bad Request'],
  ['space before the colon', 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n', '400 Bad Request'],
  [
    'a coding other than chunked last',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'a chunk size that is no number',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
    '400 Bad Request',
  ],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', '400 Bad Request'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
  ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  ['an unreadable target', 'GET foo HTTP/1.1\r\nHost: a\r\n\r\n', '400 Bad Request'],
])('%s: refused, and the connection ends', async (_name, request, status) => {
  const connection = dial(await serve());
  connection.write(request);
  expect(statusOf(await connection.closed())).toBe(`HTTP/1.1 ${status}`);
});

test('a head above the limit is 431', async () => {
  const connection = dial(await serve(echo, { headBytesMax: 4_096 }));
  connection.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(8_192)}\r\n\r\n`);
  expect(statusOf(await connection.closed())).toBe('HTTP/1.1 431 Request Header Fields Too Large');
});

test('a head that does not arrive in time is 408', async () => {
  const connection = dial(await serve(echo, { headTimeoutMs: 200 }));
  connection.write('GET / HTTP/1.1\r\nHost:');
  expect(statusOf(await connection.closed())).toBe('HTTP/1.1 408 Request Timeout');
});

test('a connection that says nothing is dropped', async () => {
  const connection = dial(await serve(echo, { headTimeoutMs: 200 }));
  expect(await connection.closed()).toBe('');
});

test('an absolute target names its own host', async () => {
  const connection = dial(await serve());
  connection.write('GET http://real.example/x?y HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n');
  expect(await connection.closed()).toMatch(/real\.example \/x\?y $/);
});

test('requests that come at once are answered in order', async () => {
  const connection = dial(await serve());
  connection.write(
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  );
  const answer = await connection.closed();
  expect([...answer.matchAll(/a \/\d (?:hi)?/g)].map(([match]) => match)).toEqual(['a /1 ', 'a /2 hi', 'a /3 ']);
});

test('a client that has closed its half still gets the answer', async () => {
  const connection = dial(await serve());
  connection.socket.end('GET /half HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await connection.until((text) => text.includes('/half'))).toContain('200 OK');
});

test('a client that resets in the middle of its body reaches the handler as an error', async () => {
  const seen = deferred<string>();
  const port = await serve((exchange) => {
    exchange.receive({ data: () => true, end: () => seen.resolve('end'), error: (error) => seen.resolve(error.message) });
  });
  const connection = dial(port);
  connection.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
  await connection.until(() => connection.socket.bytesWritten > 0);
  setImmediate(() => connection.socket.resetAndDestroy());
  expect(await seen.promise).not.toBe('end');
});

test('an expectation is answered when the body is wanted, and not when it is refused', async () => {
  const port = await serve((exchange) => (exchange.target === '/no' ? exchange.respond(403, []) : echo(exchange)));
  const wanted = dial(port);
  wanted.write('POST /yes HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n');
  await wanted.until((text) => text.includes('100 Continue'));
  wanted.write('hi');
  expect(await wanted.closed()).toMatch(/200 OK[\s\S]*a \/yes hi$/);
  const refused = dial(port);
  refused.write('POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  expect(statusOf(await refused.closed())).toBe('HTTP/1.1 403 Forbidden');
});

test('a client that goes on sending after its answer is cut off', async () => {
  const port = await serve((exchange: Exchange) => exchange.respond(200, [], 'enough'), { discardTimeoutMs: 200 });
  const connection = dial(port);
  connection.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  expect(await connection.until((text) => text.includes('enough'))).toContain('200 OK');
  const flood = (): void => {
    if (connection.socket.destroyed) return;
    connection.socket.write(`8000\r\n${'x'.repeat(0x8000)}\r\n`, () => setImmediate(flood));
  };
  flood();
  await connection.closed();
});

test('a broken HTTP/2 preface or frame ends its connection only', async () => {
  const port = await serve();
  const half = dial(port);
  half.write('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n');
  await half.closed();
  const garbage = dial(port);
  garbage.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(64)}`);
  await garbage.closed();
  const after = dial(port);
  after.write('GET /alive HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await after.closed()).toContain('a /alive');
});
