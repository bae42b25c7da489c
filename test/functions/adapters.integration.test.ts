import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { serve as serveHono } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import {
  createFetchHandler,
  defineFunction,
  expressMiddleware,
  fastifyPlugin,
  honoHandler,
  serve,
} from '../../src/functions/index.ts';

const echo = defineFunction((context, body) => ({ path: context.path, body }));
const accept = defineFunction.event((context, event) => context.cloudEventResponse(event.data).type('accepted').response());

const post = (url: string): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
const send = (url: string): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' },
    body: '{"a":1}',
  });

test.each([
  ['bodies unread', false],
  ['bodies parsed by Express', true],
])('inside Express, %s', async (_name, parsed) => {
  const app = express();
  if (parsed) app.use(express.json());
  app.use('/echo', expressMiddleware(echo));
  app.use('/events', expressMiddleware(accept));
  app.get('/own', (_request, response) => void response.send('own'));
  const server = app.listen(0);
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await post(`${url}/echo/x`)).json()).toEqual({ path: '/x', body: { a: 1 } });
  const answer = await send(`${url}/events`);
  expect([answer.headers.get('ce-type'), await answer.json()]).toEqual(['accepted', { a: 1 }]);
  expect(await (await fetch(`${url}/own`)).text()).toBe('own');
});

test('inside Fastify', async () => {
  const app = fastify();
  await app.register(fastifyPlugin(echo), { prefix: '/echo' });
  await app.register(fastifyPlugin(accept), { prefix: '/events' });
  app.post('/own', (request) => ({ own: request.body }));
  const url = await app.listen({ port: 0 });
  onTestFinished(() => app.close());
  expect(await (await post(`${url}/echo/x`)).json()).toEqual({ path: '/echo/x', body: { a: 1 } });
  expect((await send(`${url}/events`)).headers.get('ce-type')).toBe('accepted');
  expect(await (await post(`${url}/own`)).json()).toEqual({ own: { a: 1 } });
});

test('inside Hono', async () => {
  const app = new Hono();
  app.all('/echo/*', honoHandler(echo));
  app.post('/events', honoHandler(accept));
  const server = serveHono({ fetch: app.fetch, port: 0 });
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await post(`${url}/echo/x`)).json()).toEqual({ path: '/echo/x', body: { a: 1 } });
  expect((await send(`${url}/events`)).headers.get('ce-type')).toBe('accepted');
});

test('as a fetch handler, streaming both ways', async () => {
  const answer = createFetchHandler(
    defineFunction(async function (context) {
      async function* pieces(): AsyncGenerator<string> {
        yield `${context.method} `;
        await Promise.resolve();
        yield String(context.body);
      }
      return { body: pieces() };
    }),
  );
  const response = await answer(
    new Request('http://x/y?z', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hi' }),
  );
  expect([response.status, await response.text()]).toEqual([200, 'POST hi']);
  expect((await answer(new Request('http://x/health/liveness'))).status).toBe(200);
});

test('several functions in one server by host and path', async () => {
  await using server = await serve(
    {
      '/orders': echo,
      'events.example.com': accept,
      'api.example.com/v1': defineFunction(() => 'v1'),
      '/': defineFunction(() => 'rest'),
    },
    { port: 0, host: '127.0.0.1', env: {} },
  );
  const ask = (host: string, path: string): Promise<string> => requestText(server.port, host, path);
  expect(await ask('any', '/orders/1')).toBe('{"path":"/orders/1"}');
  expect(await ask('any', '/ordersX')).toBe('rest');
  expect(await ask('api.example.com', '/v1/x')).toBe('v1');
  expect(await ask('api.example.com', '/v2')).toBe('rest');
  expect(await ask('events.example.com', '/')).toContain('the request is none');
});

// fetch does not let a caller choose the Host header.
function requestText(port: number, host: string, path: string): Promise<string> {
  const { request } = process.getBuiltinModule('node:http');
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

test('emits to a sink over HTTP, again when it fails', async () => {
  const statuses = [503, 429, 202];
  const seen: (string | undefined)[] = [];
  const sink = createServer((request, response) => {
    seen.push(String(request.headers['ce-type']));
    request.resume();
    response.writeHead(statuses.shift() ?? 202).end();
  }).listen(0);
  onTestFinished(() => void sink.close());
  const { port } = sink.address() as AddressInfo;
  await using server = await serve(
    defineFunction(async (context) => {
      await context.emit({ type: 'made', data: { a: 1 } });
      return 'sent';
    }),
    { port: 0, host: '127.0.0.1', env: { K_SINK: `http://127.0.0.1:${port}` } },
  );
  expect(await (await fetch(server.url)).text()).toBe('sent');
  expect(seen).toEqual(['made', 'made', 'made']);
});
