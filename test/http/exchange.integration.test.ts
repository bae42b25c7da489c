import { describe, expect, test } from 'vitest';
import { KnativeError } from '../../src/errors.ts';
import { bodyOf, readBody, respondWith, toRequest, type Handler } from '../../src/http/index.ts';
import { deferred, transports } from './transports.ts';

const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.each(Object.keys(transports))('an exchange over %s', (name) => {
  const open = (handler: Handler) => {
    const make = transports[name];
    if (make === undefined) throw new Error(name);
    return make(handler);
  };

  test('carries method, target, host, headers and body both ways', async () => {
    await using transport = await open(async (exchange) => {
      const body = utf8(await readBody(exchange));
      exchange.respond(201, ['x-echo', exchange.header('x-in') ?? ''], `${exchange.method} ${exchange.target} ${body}`);
    });
    const response = await transport.client.request({
      method: 'POST',
      url: `${transport.url}/a?b=c`,
      rawHeaders: ['X-In', 'one'],
      body: 'hello ü',
    });
    expect(response.status).toBe(201);
    expect(response.header('x-echo')).toBe('one');
    expect(response.header('content-length')).toBe('20');
    expect(await response.text()).toBe('POST /a?b=c hello ü');
  });

  test('keeps the authority that was asked for', async () => {
    await using transport = await open((exchange) => exchange.respond(200, [], exchange.host));
    const response = await transport.client.request({
      method: 'GET',
      url: transport.url,
      rawHeaders: ['Host', 'hello.default.localhost'],
    });
    expect(await response.text()).toBe('hello.default.localhost');
  });

  test('streams with back-pressure', async () => {
    const pieces = 64;
    const piece = new Uint8Array(32 * 1024).fill(120);
    await using transport = await open(async (exchange) => {
      exchange.writeHead(200, []);
      let totalBytes = 0;
      for await (const chunk of bodyOf(exchange)) {
        totalBytes += chunk.byteLength;
        if (!exchange.write(chunk)) await new Promise<void>((resolve) => exchange.onDrain(resolve));
      }
      exchange.end(`|${totalBytes}`);
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < pieces; i++) {
        yield piece;
        await Promise.resolve();
      }
    }
    const response = await transport.client.request({ method: 'POST', url: transport.url, body: body() });
    const bytes = await response.bytes();
    expect(bytes.byteLength).toBe(pieces * piece.byteLength + `|${pieces * piece.byteLength}`.length);
  });

  test('an answer without a body', async () => {
    await using transport = await open((exchange) => exchange.respond(204, []));
    const response = await transport.client.request({ method: 'GET', url: transport.url });
    expect([response.status, response.header('content-length'), await response.text()]).toEqual([204, undefined, '']);
  });

  test('a HEAD answer has the length and no body', async () => {
    await using transport = await open((exchange) => exchange.respond(200, [], 'hello'));
    const response = await transport.client.request({ method: 'HEAD', url: transport.url });
    expect([response.status, response.header('content-length'), await response.text()]).toEqual([200, '5', '']);
  });

  test('a handler that throws gives 500, one that throws after the head a broken body', async () => {
    await using transport = await open(async (exchange) => {
      if (exchange.target === '/late') {
        exchange.writeHead(200, []);
        exchange.write(new Uint8Array([65]));
        await Promise.resolve();
      }
      throw new Error('secret');
    });
    const early = await transport.client.request({ method: 'GET', url: transport.url });
    expect([early.status, await early.text()]).toEqual([500, 'internal server error\n']);
    const late = transport.client.request({ method: 'GET', url: `${transport.url}/late` }).then((response) => response.text());
    await expect(late).rejects.toThrow();
  });

  test('an error with a status is the answer', async () => {
    await using transport = await open(() => {
      throw new KnativeError('HTTP_TEST', 'too much', { status: 413 });
    });
    const response = await transport.client.request({ method: 'GET', url: transport.url });
    expect([response.status, await response.text()]).toEqual([413, 'too much\n']);
  });

  test('a body above the limit is refused', async () => {
    await using transport = await open(async (exchange) => {
      await readBody(exchange, 10);
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(8);
      yield new Uint8Array(8);
    }
    const unknownLength = await transport.client.request({ method: 'POST', url: transport.url, body: body() });
    expect(unknownLength.status).toBe(413);
    const declared = await transport.client.request({ method: 'POST', url: transport.url, body: 'x'.repeat(11) });
    expect(declared.status).toBe(413);
  });

  test('an abort reaches the handler and the caller', async () => {
    const seen = deferred<Error | undefined>();
    const started = deferred<void>();
    await using transport = await open((exchange) => {
      exchange.onFinished((error) => seen.resolve(error));
      exchange.signal.addEventListener('abort', () => started.resolve());
      started.resolve();
    });
    const controller = new AbortController();
    const pending = transport.client.request({ method: 'GET', url: transport.url, signal: controller.signal });
    await started.promise;
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    expect(await seen.promise).toMatchObject({ code: 'HTTP_ABORTED' });
  });

  test('leaving the response body early reaches the handler', async () => {
    const seen = deferred<Error | undefined>();
    await using transport = await open((exchange) => {
      exchange.onFinished((error) => seen.resolve(error));
      exchange.writeHead(200, []);
      exchange.write(new Uint8Array(10));
    });
    const response = await transport.client.request({ method: 'GET', url: transport.url });
    for await (const chunk of response.body) {
      expect(chunk.byteLength).toBe(10);
      break;
    }
    expect(await seen.promise).toBeInstanceOf(Error);
  });

  test('an unreachable authority is a typed error', async () => {
    await using transport = await open(() => undefined);
    await expect(transport.client.request({ method: 'GET', url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
      code: 'HTTP_UNREACHABLE',
    });
    await expect(transport.client.request({ method: 'GET', url: 'ftp://x/' })).rejects.toMatchObject({
      code: 'HTTP_URL_INVALID',
    });
  });

  test('bridges to fetch', async () => {
    await using transport = await open(async (exchange) => {
      const request = toRequest(exchange);
      await respondWith(
        exchange,
        Response.json({ url: request.url, text: await request.text(), type: request.headers.get('x-in') }, { status: 202 }),
      );
    });
    const response = await transport.client.request({
      method: 'PUT',
      url: `${transport.url}/x`,
      body: 'body',
      rawHeaders: ['host', 'h.example', 'x-in', 'a'],
    });
    expect(response.status).toBe(202);
    expect(JSON.parse(await response.text())).toEqual({ url: 'http://h.example/x', text: 'body', type: 'a' });
  });
});
