import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpClient, createHttpServer, createNodeListener, readBody, type Handler } from '../../../src/http/index.ts';
import { createActivator, createGateway, type GatewayMatch } from '../../../src/serving/data-plane/index.ts';

/** A router that sends every host to one revision. */
const toRevision = (revision: string): { match: () => GatewayMatch } => {
  const match: GatewayMatch = {
    namespace: 'default',
    serviceName: revision,
    servicePort: 80,
    revision,
    httpOption: 'Enabled',
    rewriteHost: undefined,
    appendHeaders: ['Knative-Serving-Namespace', 'default', 'Knative-Serving-Revision', revision, 'X-Extra', 'one'],
  };
  return { match: () => match };
};

async function backend(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function gateway(handler?: Handler) {
  const activator = createActivator();
  const server = createHttpServer({ handler: handler ?? createGateway({ router: toRevision('hello-00001'), activator }) });
  const { url } = await server.listen();
  const client = createHttpClient();
  onTestFinished(async () => {
    await client.close();
    await server.close(0);
    await activator.close();
  });
  return { activator, url, client };
}

test('passes a request to a backend and its answer back', async () => {
  const seen: string[][] = [];
  const address = await backend((request, response) => {
    seen.push(request.rawHeaders);
    request.pipe(response);
  });
  const { activator, url, client } = await gateway();
  activator.setInstances('default/hello-00001', [{ id: 'a', target: { address } }]);
  const response = await client.request({
    method: 'POST',
    url: `${url}/x?y`,
    rawHeaders: ['host', 'hello.default.localhost', 'x-extra', 'mine', 'knative-serving-revision', 'spoofed'],
    body: 'hello',
  });
  expect([response.status, await response.text()]).toEqual([200, 'hello']);
  const headers = Object.fromEntries(
    seen.map((raw) => raw.flatMap((_, i) => (i % 2 === 0 ? [[raw[i]?.toLowerCase(), raw[i + 1]]] : [])))[0] ?? [],
  );
  expect(headers).toMatchObject({
    host: 'hello.default.localhost',
    'content-length': '5',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    forwarded: 'for=127.0.0.1;proto=http',
    'x-extra': 'one',
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) as string,
  });
  expect(headers).not.toHaveProperty('knative-serving-revision');
});

test('holds requests until an instance is there, and serves from a function too', async () => {
  const { activator, url, client } = await gateway();
  activator.setRevision('default/hello-00001', { containerConcurrency: 1 });
  const answers = Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const response = await client.request({ method: 'POST', url: `${url}/`, body: `${i}` });
      return response.text();
    }),
  );
  await expect.poll(() => activator.count('default/hello-00001').waiting).toBe(20);
  let running = 0;
  let most = 0;
  activator.setInstances('default/hello-00001', [
    {
      id: 'a',
      target: {
        handler: async (exchange) => {
          most = Math.max(most, ++running);
          const body = await readBody(exchange);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          exchange.respond(200, [], body);
        },
      },
    },
  ]);
  expect((await answers).sort()).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`).sort());
  expect(most).toBe(1);
  expect(activator.count('default/hello-00001')).toEqual({ waiting: 0, active: 0 });
});

test('a large body streams both ways', async () => {
  const address = await backend((request, response) => {
    request.pipe(response);
  });
  const { activator, url, client } = await gateway();
  activator.setInstances('default/hello-00001', [{ id: 'a', target: { address } }]);
  const piece = new Uint8Array(100_000).map((_, i) => i % 251);
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i++) yield piece;
    await Promise.resolve();
  }
  const response = await client.request({ method: 'POST', url, body: body() });
  let at = 0;
  let same = true;
  for await (const chunk of response.body) {
    for (const byte of chunk) if (byte !== (at++ % 100_000) % 251) same = false;
  }
  expect([at, same]).toEqual([10_000_000, true]);
});

test('a refused connection is tried again elsewhere', async () => {
  const address = await backend((_, response) => response.end('ok'));
  const { activator, url, client } = await gateway();
  activator.setInstances('default/hello-00001', [
    { id: 'a', target: { address: '127.0.0.1:1' } },
    { id: 'b', target: { address } },
  ]);
  for (let i = 0; i < 10; i++) {
    const response = await client.request({ method: 'POST', url, body: 'x' });
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
  }
});

test('an unknown host is 404, a revision that does not exist too', async () => {
  const activator = createActivator();
  const none = await gateway(createGateway({ router: { match: () => undefined }, activator }));
  const response = await none.client.request({ method: 'GET', url: none.url, rawHeaders: ['host', 'nowhere.example'] });
  expect([response.status, await response.text()]).toEqual([404, 'no route for host nowhere.example\n']);
  const gone = await gateway();
  const missing = await gone.client.request({ method: 'GET', url: gone.url });
  expect([missing.status, await missing.text()]).toEqual([
    404,
    'Error getting active endpoint: revision.serving.knative.dev "hello-00001" not found\n',
  ]);
});

test('a gateway as a listener of an existing server', async () => {
  const activator = createActivator();
  const listener = createNodeListener(createGateway({ router: toRevision('hello-00001'), activator }));
  activator.setInstances('default/hello-00001', [
    { id: 'a', target: { handler: (exchange) => exchange.respond(200, [], 'mounted') } },
  ]);
  const address = await backend((request, response) => {
    if (request.url === '/own') response.end('own');
    else listener.request(request, response);
  });
  expect(await (await fetch(`http://${address}/own`)).text()).toBe('own');
  expect(await (await fetch(`http://${address}/x`)).text()).toBe('mounted');
  await activator.close();
});

test('a handler gets no headers of the connection, and is asked for upgrades by their name', async () => {
  const { activator, url, client } = await gateway();
  let seen: readonly string[] = [];
  activator.setInstances('default/hello-00001', [
    {
      id: 'a',
      target: {
        handler: (exchange) => {
          seen = exchange.rawHeaders;
          exchange.respond(200, []);
        },
      },
    },
  ]);
  const raw = ['x-hop', '1', 'te', 'trailers, gzip', 'x-kept', '2', 'proxy-authorization', 'secret'];
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const lines = raw.flatMap((_, i) => (i % 2 === 0 ? [`${raw[i]}: ${raw[i + 1]}`] : []));
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\n${lines.join('\r\n')}\r\n\r\n`);
  await new Promise((resolve) => socket.resume().on('close', resolve));
  const names = seen.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  expect(names.filter((name) => name !== 'traceparent')).toEqual([
    'host',
    'te',
    'x-kept',
    'x-forwarded-proto',
    'forwarded',
    'x-forwarded-for',
    'x-extra',
  ]);
  await client.close();
});
