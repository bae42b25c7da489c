import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createVirtualClock } from '../../src/clock.ts';
import { createFunctionRuntime, defineFunction } from '../../src/functions/index.ts';
import { createMemoryNetwork } from '../../src/http/index.ts';
import { createFunctionKit } from '../../src/testing/function-kit.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the context', () => {
  test('shows the request', async () => {
    await using kit = createFunctionKit(
      defineFunction(({ method, path, query, headers, contentType, trace, httpVersion }) => ({
        method,
        path,
        query,
        agent: headers['user-agent'],
        contentType,
        trace,
        httpVersion,
      })),
    );
    const answer = await kit.request({
      method: 'PUT',
      path: '/a%20b/c?x=1&x=2&y=%E2%82%AC',
      headers: { 'User-Agent': 'me', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      body: 'text',
    });
    expect(answer.json()).toEqual({
      method: 'PUT',
      path: '/a b/c',
      query: { x: ['1', '2'], y: '€' },
      agent: 'me',
      contentType: 'text/plain',
      trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      httpVersion: '1.1',
    });
  });

  test('query parameters never overwrite it, also under faas conventions', async () => {
    const handle = (context: { method: string; cloudevent: unknown; lunch?: unknown }): unknown => [
      context.method,
      context.cloudevent ?? null,
      context.lunch,
    ];
    await using kit = createFunctionKit(handle as never, { conventions: 'faas' });
    expect((await kit.request('/?method=PUT&cloudevent=x&constructor=y&lunch=tacos')).json()).toEqual(['GET', null, 'tacos']);
  });

  test('gives only its own environment', async () => {
    await using kit = createFunctionKit(
      defineFunction((context) => Object.keys(context.env)),
      { env: { A: '1' } },
    );
    expect((await kit.request('/')).json()).toEqual(['K_SINK', 'A']);
  });

  test.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/merge-patch+json', '{"a":1}', { a: 1 }],
    ['text/csv', 'a,b', 'a,b'],
    ['application/x-www-form-urlencoded', 'a[b]=1&c=x+y', { a: { b: '1' }, c: 'x y' }],
  ])('parses %s', async (type, body, expected) => {
    await using kit = createFunctionKit(defineFunction((_context, parsed) => ({ parsed })));
    expect((await kit.request({ headers: { 'content-type': type }, body })).json()).toEqual({ parsed: expected });
  });

  test.each([
    ['wrong JSON', 'application/json', '{', 400],
    ['a prototype', 'application/json', '{"\\u005f_proto__":{}}', 400],
    ['an unknown charset', 'text/plain; charset=nope', 'x', 415],
    ['a body over the limit', 'text/plain', 'x'.repeat(65), 413],
    ['a form over the limit', 'application/x-www-form-urlencoded', 'a='.padEnd(65, 'x'), 413],
  ])('%s is refused', async (_name, type, body, status) => {
    await using kit = createFunctionKit(defineFunction(() => 'ran', { bodyBytesMax: 64 }));
    expect((await kit.request({ headers: { 'content-type': type }, body })).status).toBe(status);
  });

  test('emits to the sink with the overrides applied', async () => {
    await using kit = createFunctionKit(
      defineFunction(async (context) => context.emit({ type: 't', team: 'a', data: 1 })),
      {
        env: { K_CE_OVERRIDES: '{"extensions":{"team":"b","cluster":"c"}}' },
      },
    );
    expect((await kit.request('/')).status).toBe(204);
    expect(kit.emitted).toMatchObject([{ type: 't', source: '/function', team: 'b', cluster: 'c', data: 1 }]);
  });

  test('an emit without a sink says what is missing', async () => {
    await using kit = createFunctionKit(
      defineFunction(async (context) => context.emit({ type: 't' })),
      { env: { K_SINK: '' } },
    );
    expect((await kit.request('/')).text).toContain('K_SINK is not set');
  });
});

describe('errors', () => {
  test.each([
    ['an Error', new Error('secret'), 500, 'secret\n'],
    ['a status', Object.assign(new Error('no such order'), { status: 404 }), 404, 'no such order\n'],
    ['a statusCode', Object.assign(new Error('later'), { statusCode: 503 }), 503, 'later\n'],
    ['a success code', Object.assign(new Error('odd'), { code: 200 }), 500, 'odd\n'],
    ['a system error', Object.assign(new Error('no file'), { code: 'ENOENT' }), 500, 'no file\n'],
    ['text', 'just text', 500, 'just text\n'],
    ['null', null, 500, 'null\n'],
  ])('a thrown %s', async (_name, error, status, text) => {
    const throwing = (): never => {
      throw error;
    };
    for (const fn of [defineFunction(throwing), defineFunction(() => Promise.reject(error as Error))]) {
      await using kit = createFunctionKit(fn);
      expect(await kit.request('/')).toMatchObject({ status, text });
    }
  });

  test('messages of server errors stay in the log unless asked for', async () => {
    await using kit = createFunctionKit(
      defineFunction(() => {
        throw new Error('secret');
      }),
      { exposeErrors: false },
    );
    expect((await kit.request('/')).text).toBe('Internal Server Error\n');
    expect(JSON.stringify(kit.logs)).toContain('secret');
  });
});

describe('schemas', () => {
  const jsonSchema = { type: 'object', required: ['n'], properties: { n: { type: 'number' } } };
  test.each([
    ['JSON Schema', jsonSchema],
    ['zod', z.object({ n: z.number() })],
    ['valibot', v.object({ n: v.number() })],
  ])('%s', async (_name, schema) => {
    let runs = 0;
    await using kit = createFunctionKit(
      defineFunction.event({
        data: schema,
        handle() {
          runs++;
        },
      }),
    );
    expect((await kit.send({ type: 't', data: { n: 1 } })).status).toBe(204);
    const refused = await kit.send({ type: 't', data: { n: 'x' } });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('n:');
    expect(runs).toBe(1);
  });

  test('also for bodies, and libraries may convert', async () => {
    await using kit = createFunctionKit(
      defineFunction({ body: z.object({ n: z.coerce.number() }), handle: (_context, body) => body.n + 1 }),
    );
    expect((await kit.request({ body: { n: '41' } })).text).toBe('42');
  });
});

describe('life', () => {
  test('init runs once before the first call, shutdown once after the last call and background work', async () => {
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const runtime = createFunctionRuntime(
      defineFunction(
        async (context) => {
          order.push('call');
          context.waitUntil(settle().then(() => void order.push('background')));
          await new Promise<void>((resolve) => (finish = resolve));
          order.push('answered');
        },
        { init: () => void order.push('init'), shutdown: () => void order.push('shutdown') },
      ),
    );
    const { client } = createMemoryNetwork({ fallback: runtime.handler });
    const answer = client.request({ method: 'GET', url: 'http://f/' });
    await settle();
    const closed = Promise.all([runtime.close(), runtime.close()]);
    await settle();
    expect(order).toEqual(['init', 'call', 'background']);
    finish();
    await Promise.all([answer, closed]);
    expect(order).toEqual(['init', 'call', 'background', 'answered', 'shutdown']);
  });

  test('a call that never ends is given up after the timeout, and close does not wait for it longer than its grace', async () => {
    const clock = createVirtualClock();
    let reason: unknown;
    let stopped = false;
    const fn = defineFunction(
      (context) => {
        context.signal.addEventListener('abort', () => (reason = context.signal.reason));
        return new Promise(() => undefined);
      },
      { timeout: '5s', shutdown: () => void (stopped = true) },
    );
    const runtime = createFunctionRuntime(fn, { clock });
    const { client } = createMemoryNetwork({ fallback: runtime.handler });
    const answer = client.request({ method: 'GET', url: 'http://f/' });
    await settle();
    clock.advanceSync(5_000);
    expect((await answer).status).toBe(504);
    expect(reason).toMatchObject({ code: 'FUNCTIONS_TIMEOUT' });
    await runtime.close(1_000);
    expect(stopped).toBe(true);
  });

  test('a failing init is the answer to every call', async () => {
    await using kit = createFunctionKit(
      defineFunction(() => 'ran', {
        init: () => {
          throw new Error('no database');
        },
      }),
    );
    expect((await kit.request('/')).status).toBe(500);
  });

  test('probes answer beside the function, hooks decide', async () => {
    await using plain = createFunctionKit(defineFunction(() => 'fn'));
    expect((await plain.request('/health/liveness')).text).toBe('OK');
    const ready = Object.assign((_context: unknown, reply: { code(status: number): unknown }) => void reply.code(503), {
      path: '/ready',
    });
    await using hooked = createFunctionKit(defineFunction(() => 'fn', { readiness: ready }));
    expect((await hooked.request('/ready')).status).toBe(503);
    expect((await hooked.request('/health/readiness')).text).toBe('fn');
  });
});

describe('edges', () => {
  test('CORS headers for listed origins only, never the literal null', async () => {
    await using kit = createFunctionKit(defineFunction(() => 'x', { cors: ['https://a.example'] }));
    const allowed = await kit.request({ headers: { origin: 'https://a.example' } });
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': 'https://a.example', vary: 'Origin' });
    const denied = await kit.request({ headers: { origin: 'https://evil.example' } });
    expect(denied.headers['access-control-allow-origin']).toBeUndefined();
    const preflight = await kit.request({
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' },
    });
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': 'https://a.example' } });
  });

  test('the handshake of web hooks is answered for event functions', async () => {
    await using kit = createFunctionKit(defineFunction.event(() => undefined));
    const answer = await kit.request({
      method: 'OPTIONS',
      headers: { 'webhook-request-origin': 'eventemitter.example.com', 'webhook-request-rate': '120' },
    });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'webhook-allowed-origin': 'eventemitter.example.com', 'webhook-allowed-rate': '120', allow: 'POST, OPTIONS' },
    });
  });

  test('plain functions negotiate their answer', async () => {
    await using kit = createFunctionKit(defineFunction.plain((x: number) => x ** 2));
    const ask = (accept?: string): Promise<{ status: number; text: string; headers: Readonly<Record<string, string>> }> =>
      kit.request({ body: '7', headers: { 'content-type': 'application/json', ...(accept === undefined ? {} : { accept }) } });
    expect(await ask()).toMatchObject({ text: '49', headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect(await ask('text/plain')).toMatchObject({ text: '49', headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(await ask('text/plain;q=0.1, application/json')).toMatchObject({
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect((await ask('image/png')).status).toBe(406);
  });

  test('templates make events that a function takes', async () => {
    await using kit = createFunctionKit(defineFunction.event((_context, event) => ({ statusCode: 200, body: event.type })));
    expect((await kit.sendTemplate('ping')).text).toBe('dev.knative.sources.ping');
    expect((await kit.sendTemplate('s3', { subject: 'a' }, { mode: 'structured' })).text).toBe('com.amazon.s3.objectcreated');
  });
});
