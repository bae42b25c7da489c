import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer, createUpstream, respondText, type Exchange } from '../../src/http/index.ts';
import { dial, rawServer, type RawConnection } from './raw.ts';
import { deferred } from './transports.ts';

/** A proxy onto one backend; tells its port. */
async function proxyTo(
  address: string,
  unseen: (exchange: Exchange) => void = (exchange) => respondText(exchange, 502, 'unseen'),
) {
  const upstream = createUpstream();
  const server = createHttpServer({ handler: (exchange) => upstream.forward(exchange, address, () => unseen(exchange)) });
  const { port } = await server.listen();
  onTestFinished(async () => {
    await server.close(0);
    upstream.close();
  });
  return port;
}

const headComplete = (text: string): boolean => text.includes('\r\n\r\n');
const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** What a client gets when the backend answers a request by these bytes and then does that. */
async function answerTo(
  bytes: string,
  then: (connection: RawConnection) => void = () => undefined,
  request = get,
): Promise<string> {
  const address = await rawServer(async (connection) => {
    await connection.until(headComplete);
    connection.write(bytes);
    then(connection);
  });
  const client = dial(await proxyTo(address));
  client.write(request);
  return client.closed();
}

const end = (connection: RawConnection): void => void connection.socket.end();
const reset = (connection: RawConnection): void => void setTimeout(() => connection.socket.resetAndDestroy(), 20);
const status = (answer: string): string => answer.split('\r\n')[0]?.slice(9, 12) ?? '';
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

test.each([
  ['both length headers', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['a bare line feed in a value', 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
  ['a malformed status line', 'HTTP/1.1 OK\r\n\r\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ['an unasked switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['an endless head', `HTTP/1.1 200 OK\r\n${`X: ${'x'.repeat(1_000)}\r\n`.repeat(400)}`],
])('a backend with %s gives 502', async (_name, bytes) => {
  const answer = await answerTo(bytes);
  expect(status(answer)).toBe('502');
  expect(bodyOf(answer)).toMatch(/^malformed HTTP response: |switched protocols/);
});

test.each([
  ['closes without a byte', '', end, '502'],
  ['resets without a byte', '', reset, '502'],
  ['closes within the head', 'HTTP/1.1 200 OK\r\nContent-', end, '502'],
  ['resets within the head', 'HTTP/1.1 200 OK\r\nContent-', reset, '502'],
])('a backend that %s gives 502', async (_name, bytes, then, expected) => {
  expect(status(await answerTo(bytes, then))).toBe(expected);
});

test.each([
  ['closes within a declared length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', end],
  ['resets within a declared length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', reset],
])('a backend that %s cuts the client short', async (_name, bytes, then) => {
  const answer = await answerTo(bytes, then);
  expect([status(answer), bodyOf(answer)]).toEqual(['200', 'hello']);
  expect(answer).toMatch(/content-length: 10/i);
});

test.each([
  ['closes within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello', end],
  ['resets between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', reset],
  [
    'sends a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!!\r\n0\r\n\r\n',
    () => undefined,
  ],
  ['sends a malformed chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n', () => undefined],
])('a backend that %s gives no proper end', async (_name, bytes, then) => {
  const answer = await answerTo(bytes, then);
  expect(answer.endsWith('0\r\n\r\n')).toBe(false);
});

test('a body without length ends with the connection', async () => {
  const answer = await answerTo('HTTP/1.0 200 OK\r\n\r\nhello', end);
  expect([status(answer), answer.includes('5\r\nhello\r\n0\r\n\r\n')]).toEqual(['200', true]);
});

test('a body that comes byte by byte arrives whole', async () => {
  const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n3\r\n!!!\r\n0\r\nX-T: v\r\n\r\n';
  const address = await rawServer(async (connection) => {
    await connection.until(headComplete);
    for (const byte of bytes) {
      connection.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const client = dial(await proxyTo(address));
  client.write(get);
  const answer = await client.closed();
  expect(answer.replace(/\r\n[0-9a-f]+\r\n/g, '').includes('hel')).toBe(true);
  expect(answer).toMatch(/0\r\nX-T: v\r\n\r\n$/);
});

test('a second answer is thrown away with its connection', async () => {
  let connections = 0;
  const address = await rawServer(async (connection, number) => {
    connections = number;
    await connection.until(headComplete);
    const body = `answer ${number}`;
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    connection.write(number === 1 ? answer + answer.replace('answer', 'poison') : answer);
  });
  const port = await proxyTo(address);
  const first = dial(port);
  first.write(get);
  expect(bodyOf(await first.closed())).toBe('answer 1');
  const second = dial(port);
  second.write(get);
  expect(bodyOf(await second.closed())).toBe('answer 2');
  expect(connections).toBe(2);
});

test('interim answers reach the client, a HEAD answer has no body', async () => {
  const answer = await answerTo(
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    end,
    get.replace('GET', 'HEAD'),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n/);
  expect(answer.endsWith('\r\n\r\n')).toBe(true);
});

test('a stale connection is replaced for a GET, and a POST is never sent twice', async () => {
  const posts: string[] = [];
  let requests = 0;
  const address = await rawServer(async (connection) => {
    // Answers one request, takes the next one and cuts the connection.
    for (let i = 0; ; i++) {
      const seen = await connection.until((text) => text.split('\r\n\r\n').length > i + 1);
      if (connection.socket.destroyed) return;
      requests++;
      if (seen.includes('POST')) posts.push(seen);
      if (i === 1) {
        connection.socket.destroy();
        return;
      }
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  });
  const port = await proxyTo(address);
  const ask = async (request: string): Promise<string> => {
    const client = dial(port);
    client.write(request);
    return status(await client.closed());
  };
  expect(await ask(get)).toBe('200');
  expect(await ask(get)).toBe('200');
  expect(requests).toBe(3);
  expect(await ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi')).toBe('502');
  expect(posts).toHaveLength(1);
});

test('a client that leaves closes the connection to the backend', async () => {
  const left = deferred<void>();
  const address = await rawServer(async (connection) => {
    await connection.until(headComplete);
    await connection.closed();
    left.resolve();
  });
  const client = dial(await proxyTo(address));
  client.write(get);
  setTimeout(() => client.socket.destroy(), 50);
  await left.promise;
});

test('an answer before the end of the request body reaches the client', async () => {
  const answer = await answerTo(
    'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig',
    () => undefined,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\nhello',
  );
  expect([status(answer), bodyOf(answer)]).toEqual(['413', 'big']);
});

test('an expectation is passed on: the body goes when the backend wants it', async () => {
  const address = await rawServer(async (connection) => {
    const head = await connection.until(headComplete);
    if (!/expect: 100-continue/i.test(head)) return;
    connection.write('HTTP/1.1 100 Continue\r\n\r\n');
    await connection.until((text) => text.endsWith('hi'));
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
  });
  const client = dial(await proxyTo(address));
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n');
  await client.until((text) => text.includes('100 Continue'));
  client.write('hi');
  expect(bodyOf((await client.closed()).replace('HTTP/1.1 100 Continue\r\n\r\n', ''))).toBe('done');
});

test('a backend that does not know the expectation gets the body after a second', async () => {
  const address = await rawServer(async (connection) => {
    await connection.until((text) => text.endsWith('hi'));
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
  });
  const client = dial(await proxyTo(address));
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi');
  expect(await client.closed()).toContain('done');
});

test('headers of the connection stay behind, both ways', async () => {
  let head = '';
  const address = await rawServer(async (connection) => {
    head = await connection.until(headComplete);
    connection.write(
      'HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nX-Yours: 2\r\nKeep-Alive: timeout=9\r\nContent-Length: 0\r\n\r\n',
    );
  });
  const client = dial(await proxyTo(address));
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nTE: trailers, gzip\r\nProxy-Authorization: secret\r\nX-Kept: 2\r\n\r\n',
  );
  const answer = await client.closed();
  expect(head).toBe('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nX-Kept: 2\r\n\r\n');
  expect(answer).toContain('X-Yours: 2');
  expect(answer).not.toMatch(/X-Mine|timeout=9/);
});
