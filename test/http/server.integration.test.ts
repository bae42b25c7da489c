import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createHttpClient,
  createHttpServer,
  createUpstream,
  type Exchange,
  type HttpServerOptions,
} from '../../src/http/index.ts';
import { dial, rawServer } from './raw.ts';
import { deferred } from './transports.ts';

async function serve(options: HttpServerOptions) {
  const server = createHttpServer(options);
  const address = await server.listen();
  onTestFinished(() => server.close(0));
  return { server, ...address };
}

describe('life cycle', () => {
  test('a taken port is a typed error that says what to do', async () => {
    const { port } = await serve({ handler: () => undefined });
    const second = createHttpServer({ handler: () => undefined, port });
    await expect(second.listen()).rejects.toMatchObject({
      code: 'HTTP_ADDRESS_IN_USE',
      path: 'port',
      hint: expect.stringContaining('another port') as string,
    });
    expect(() => createHttpServer({ handler: () => undefined, port: 70_000 })).toThrow(/port must be 0 to 65535/);
    expect(() => createHttpServer({ handler: () => undefined }).address()).toThrow(/not listening/);
  });

  test('drain: running requests finish and end their connection, idle ones go at once, new ones are refused', async () => {
    const running = deferred<Exchange>();
    const { server, port } = await serve({
      handler: (exchange) => (exchange.target === '/slow' ? running.resolve(exchange) : exchange.respond(200, [])),
    });
    const idle = dial(port);
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.until((text) => text.includes('200 OK'));
    const busy = dial(port);
    busy.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    const exchange = await running.promise;
    expect(server.active).toBe(1);
    const drained = server.drain();
    await idle.closed();
    await expect(once(dial(port).socket, 'connect')).rejects.toThrow('ECONNREFUSED');
    exchange.respond(200, [], 'late');
    const answer = await busy.closed();
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toMatch(/late$/);
    await drained;
    expect(server.active).toBe(0);
  });

  test('close cuts what is left after the grace period', async () => {
    const { server, port } = await serve({ handler: () => undefined });
    const hanging = dial(port);
    hanging.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => server.active).toBe(1);
    await Promise.all([server.close(50), server.close(50)]);
    expect(await hanging.closed()).toBe('');
  });

  test('HTTP/2 sessions are told to go, and their streams finish', async () => {
    const running = deferred<Exchange>();
    const { server, port } = await serve({ handler: (exchange) => running.resolve(exchange) });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    const exchange = await running.promise;
    const closed = server.close(5_000);
    exchange.respond(200, [], 'late');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('late');
    await closed;
  });
});

test('a client that does not read holds the writer back', async () => {
  let written = 0;
  const blocked = deferred<void>();
  const piece = new Uint8Array(64 * 1024);
  const { port } = await serve({
    handler(exchange) {
      exchange.writeHead(200, []);
      const write = (): void => {
        while (written < 100_000_000) {
          written += piece.byteLength;
          if (!exchange.write(piece)) {
            blocked.resolve();
            exchange.onDrain(write);
            return;
          }
        }
      };
      write();
    },
  });
  const client = dial(port);
  client.socket.pause();
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await blocked.promise;
  await expect
    .poll(async () => {
      const before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return written - before;
    })
    .toBe(0);
  // What the system's buffers hold, far from all of it.
  expect(written).toBeLessThan(50_000_000);
});

test('a slow reader behind a proxy holds the backend back', async () => {
  let written = 0;
  const address = await rawServer(async (connection) => {
    await connection.until((text) => text.includes('\r\n\r\n'));
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
    const piece = Buffer.alloc(64 * 1024);
    const write = (): void => {
      while (written < 100_000_000 && !connection.socket.destroyed) {
        written += piece.length;
        if (!connection.socket.write(piece)) {
          connection.socket.once('drain', write);
          return;
        }
      }
    };
    write();
  });
  const upstream = createUpstream();
  onTestFinished(() => upstream.close());
  const { port } = await serve({ handler: (exchange) => upstream.forward(exchange, address, () => undefined) });
  const client = dial(port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until((text) => text.includes('200 OK'));
  client.socket.pause();
  await expect
    .poll(async () => {
      const before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return written - before;
    })
    .toBe(0);
  expect(written).toBeLessThan(60_000_000);
});

test('names under localhost need no DNS', async () => {
  const { port } = await serve({ handler: (exchange) => exchange.respond(200, [], exchange.host) });
  const client = createHttpClient();
  onTestFinished(() => client.close());
  const response = await client.request({ method: 'GET', url: `http://hello.default.localhost:${port}/` });
  expect(await response.text()).toBe(`hello.default.localhost:${port}`);
  await client.close();
  await expect(client.request({ method: 'GET', url: 'http://localhost/' })).rejects.toMatchObject({ code: 'HTTP_CLIENT_CLOSED' });
});
