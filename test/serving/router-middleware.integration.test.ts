import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import {
  createFastifyRouteHook,
  createHonoRouteMiddleware,
  createRouteMiddleware,
  createRouter,
  routeOf,
  withRoute,
  type RouteMatch,
} from '../../src/serving/index.ts';

const router = createRouter([
  {
    metadata: { name: 'hello', namespace: 'default' },
    spec: {
      rules: [
        {
          hosts: ['hello.localhost'],
          http: {
            paths: [
              {
                splits: [
                  {
                    serviceNamespace: 'default',
                    serviceName: 'hello-00001',
                    servicePort: 80,
                    percent: 100,
                    appendHeaders: { 'Knative-Serving-Revision': 'hello-00001' },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
  },
]);

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, host: string): Promise<{ status: number; body: string }> {
  // fetch does not send a Host of our choice.
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path: '/', headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject).end();
  });
}

test('node:http', async () => {
  const middleware = createRouteMiddleware(router);
  const port = await listen(
    createServer((request, response) => {
      middleware(request, response, () =>
        response.end(`${routeOf(request)?.revision} ${String(request.headers['knative-serving-revision'])}`),
      );
    }),
  );
  expect(await ask(port, 'hello.localhost')).toEqual({ status: 200, body: 'hello-00001 hello-00001' });
  expect((await ask(port, 'other.localhost')).status).toBe(404);
});

test('Express', async () => {
  const app = express();
  app.use(createRouteMiddleware(router));
  app.get('/', (request, response) => void response.send(routeOf(request)?.revision));
  const port = await listen(createServer(app));
  expect(await ask(port, 'hello.localhost')).toEqual({ status: 200, body: 'hello-00001' });
  expect((await ask(port, 'other.localhost')).status).toBe(404);
});

test('Fastify', async () => {
  const app = fastify();
  app.addHook('onRequest', createFastifyRouteHook(router));
  app.get('/', (request) => routeOf(request.raw)?.revision);
  await app.listen({ port: 0, host: '127.0.0.1' });
  closers.push(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  expect(await ask(port, 'hello.localhost')).toEqual({ status: 200, body: 'hello-00001' });
  expect((await ask(port, 'other.localhost')).status).toBe(404);
});

test('Hono', async () => {
  const app = new Hono<{ Variables: { route: RouteMatch } }>();
  app.use(createHonoRouteMiddleware(router));
  app.get('/', (context) => {
    const routed = withRoute(context.req.raw, context.get('route'));
    return context.text(`${context.get('route').revision} ${routed.headers.get('knative-serving-revision')}`);
  });
  const found = await app.request('http://hello.localhost/');
  expect([found.status, await found.text()]).toEqual([200, 'hello-00001 hello-00001']);
  expect((await app.request('http://other.localhost/')).status).toBe(404);
});
