import { connect } from 'node:net';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { defineFunction, serve } from '../../src/functions/index.ts';
import { start } from '../../src/functions/faas.ts';
import { cloudEvent, getFunction, getTestServer, http, typed } from '../../src/functions/framework.ts';
import type { AddressInfo } from 'node:net';
import { makeProject } from './projects.ts';

const local = { port: 0, host: '127.0.0.1', env: {} } as const;

describe('serve', () => {
  test('close lets calls finish, then runs the shutdown hook; new connections are refused', async () => {
    const order: string[] = [];
    const server = await serve(
      defineFunction(
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          order.push('call');
          return 'done';
        },
        { shutdown: () => void order.push('shutdown') },
      ),
      local,
    );
    const answer = fetch(server.url).then((response) => response.text());
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    expect(await answer).toBe('done');
    expect(order).toEqual(['call', 'shutdown']);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test('survives uploads that stop half-way, and a body over the limit is told so', async () => {
    await using server = await serve(
      defineFunction((_context, body) => ({ got: body }), { bodyBytesMax: 1_000 }),
      local,
    );
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a"');
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    expect((await fetch(server.url, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(413);
    expect((await fetch(server.url)).status).toBe(200);
    expect(server.active).toBe(0);
  });

  test('the signal aborts when the caller goes away', async () => {
    const aborted = Promise.withResolvers<string>();
    await using server = await serve(
      defineFunction((context) => {
        context.signal.addEventListener('abort', () => aborted.resolve('aborted'));
        return new Promise((resolve) => setTimeout(resolve, 500));
      }),
      local,
    );
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    expect(await aborted.promise).toBe('aborted');
  });

  test('a port that is no port is an error that names the variable', async () => {
    await expect(
      serve(
        defineFunction(() => 'x'),
        { env: { PORT: 'http' } },
      ),
    ).rejects.toMatchObject({ code: 'FUNCTIONS_PORT_INVALID', path: 'PORT' });
  });

  test('metrics count the calls', async () => {
    await using server = await serve(
      defineFunction(() => 'x'),
      { ...local, metrics: 'counted' },
    );
    await (await fetch(server.url)).text();
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/^faas_invocations\{faas_name="counted".*\} 1$/m);
  });
});

test('a worker thread loads a module, reports its port, drains and ends with 0', async () => {
  const { folder } = makeProject({
    'fn.mjs': `export default async (context) => { await new Promise((resolve) => setTimeout(resolve, 100)); return context.env.NAME; };`,
  });
  const worker = new Worker(new URL('../../src/functions/worker-entry.ts', import.meta.url));
  worker.postMessage({ type: 'start', modulePath: `${folder}/fn.mjs`, env: { NAME: 'in a thread' } });
  const [report] = (await once(worker, 'message')) as [{ type: string; port: number }];
  expect(report.type).toBe('ready');
  const answer = fetch(`http://127.0.0.1:${report.port}`).then((response) => response.text());
  await new Promise((resolve) => setTimeout(resolve, 50));
  worker.postMessage({ type: 'shutdown' });
  expect(await answer).toBe('in a thread');
  expect(await once(worker, 'exit')).toEqual([0]);
});

test('a worker thread reports why a module cannot be loaded', async () => {
  const worker = new Worker(new URL('../../src/functions/worker-entry.ts', import.meta.url));
  worker.postMessage({ type: 'start', modulePath: '/nowhere/fn.mjs', env: {} });
  const [report] = (await once(worker, 'message')) as [{ type: string; message: string }];
  expect(report).toMatchObject({ type: 'failed', message: 'there is no function at /nowhere/fn.mjs' });
  expect(await once(worker, 'exit')).toEqual([1]);
});

test('faas.start gives a real server and reads func.yaml', async () => {
  const { folder } = makeProject({ 'func.yaml': 'name: from-yaml\nbodyLimit: 10\n' });
  const server = await start(
    { handle: (context) => context.method, init: () => undefined },
    { port: 0, config: folder, logLevel: 'silent' },
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await fetch(url)).text()).toBe('GET');
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
  server.close();
  server.closeAllConnections();
  await expect(start({} as never)).rejects.toThrow('must export a handle function');
});

test("functions-framework's registry, typed functions and test server", async () => {
  http(
    'hello-http',
    (request, response) =>
      void response.status(201).json({ is: request.is('json'), ip: request.ip !== undefined, cookie: request.get('cookie') }),
  );
  cloudEvent('hello-event', ((event: { id: string }, callback: (error: unknown, result: unknown) => void) =>
    callback(null, event.id)) as never);
  typed('hello-typed', (input: { n: number }) => ({ twice: input.n * 2 }));
  expect(() => http('1 bad', () => undefined)).toThrow('Invalid function name');
  expect(getFunction('hello-http')).toBeTypeOf('function');
  const ask = async (name: string, init: RequestInit): Promise<[number, string]> => {
    const server = getTestServer(name).listen(0);
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, init);
    const text = await answer.text();
    server.close();
    server.closeAllConnections();
    return [answer.status, text];
  };
  const json = { 'content-type': 'application/json' };
  expect(await ask('hello-http', { method: 'POST', headers: { ...json, cookie: 'a=b' }, body: '{}' })).toEqual([
    201,
    '{"is":"json","ip":true,"cookie":"a=b"}',
  ]);
  expect(await ask('hello-typed', { method: 'POST', headers: json, body: '{"n":21}' })).toEqual([200, '{"twice":42}']);
  expect(
    await ask('hello-event', {
      method: 'POST',
      headers: { ...json, 'ce-specversion': '1.0', 'ce-id': 'e', 'ce-source': '/s', 'ce-type': 't' },
      body: '{}',
    }),
  ).toEqual([200, 'e']);
});
