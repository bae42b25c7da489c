import { CloudEvent as SdkCloudEvent } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { defineFunction } from '../../src/functions/index.ts';
import { createFunctionKit } from '../../src/testing/function-kit.ts';

async function answerTo(value: unknown): Promise<{ status: number; type: string | undefined; text: string }> {
  await using kit = createFunctionKit(defineFunction(() => value));
  const { status, headers, text } = await kit.request('/');
  return { status, type: headers['content-type'], text };
}

const json = 'application/json; charset=utf-8';
const plain = 'text/plain; charset=utf-8';

describe('what a function returns becomes the response', () => {
  const cases: readonly (readonly [name: string, value: unknown, status: number, type: string | undefined, text: string])[] = [
    ['nothing', undefined, 204, undefined, ''],
    ['null', null, 204, undefined, ''],
    ['empty text', '', 204, undefined, ''],
    ['text', 'grüß', 200, plain, 'grüß'],
    ['zero', 0, 200, json, '0'],
    ['false', false, 200, json, 'false'],
    ['not a number', Number.NaN, 200, json, 'null'],
    ['big integer', 10n, 200, json, '10'],
    ['object', { a: 1 }, 200, json, '{"a":1}'],
    ['array', [1], 200, json, '[1]'],
    ['bytes', new Uint8Array([104, 105]), 200, 'application/octet-stream', 'hi'],
    ['status alone', { statusCode: 201 }, 201, undefined, ''],
    ['headers alone', { headers: { 'x-a': '1' } }, 204, undefined, ''],
    ['structured text', { statusCode: 202, body: 'ok' }, 202, plain, 'ok'],
    ['structured object', { body: { a: 1 } }, 200, json, '{"a":1}'],
    ['own content type', { headers: { 'Content-Type': 'text/html' }, body: '<p>' }, 200, 'text/html', '<p>'],
    ['data that has a body key', { body: 'x', other: 1 }, 200, json, '{"body":"x","other":1}'],
    ['data that has a status key', { status: 'open' }, 200, json, '{"status":"open"}'],
    ['a fetch Response', new Response('made', { status: 203, headers: { 'content-type': 'text/x' } }), 203, 'text/x', 'made'],
    ['a symbol', Symbol('s'), 500, plain, 'the function returned a symbol, which cannot be sent\n'],
    [
      'an impossible status',
      { statusCode: 700, body: 'x' },
      500,
      plain,
      expect.stringContaining('the status 700') as unknown as string,
    ],
    [
      'a bad header',
      { headers: { 'bad name': '1' }, body: 'x' },
      500,
      plain,
      expect.stringContaining('valid HTTP token') as unknown as string,
    ],
    [
      'a line break in a header',
      { headers: { a: 'b\r\nc: d' }, body: 'x' },
      500,
      plain,
      expect.stringContaining('header content') as unknown as string,
    ],
  ];
  test.each(cases)('%s', async (_name, value, status, type, text) => {
    expect(await answerTo(value)).toEqual({ status, type, text });
  });

  test('a cycle is a 500 with a line of log', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    await using kit = createFunctionKit(defineFunction(() => cycle));
    expect((await kit.request('/')).status).toBe(500);
    expect(kit.logs.map(({ message }) => message)).toContain('the answer of the function cannot be sent');
  });

  test('streams and generators go out piece by piece', async () => {
    async function* pieces(): AsyncGenerator<string> {
      yield 'a';
      await Promise.resolve();
      yield 'b';
    }
    expect(await answerTo(pieces())).toEqual({ status: 200, type: plain, text: 'ab' });
    expect(await answerTo(new Blob(['web']).stream())).toEqual({ status: 200, type: 'application/octet-stream', text: 'web' });
    expect((await answerTo({ headers: { 'content-type': 'text/csv' }, body: pieces() })).type).toBe('text/csv');
  });

  test('a stream that fails before its first piece is an error answer', async () => {
    async function* broken(): AsyncGenerator<string> {
      await Promise.resolve();
      throw new Error('no data');
    }
    expect((await answerTo(broken())).status).toBe(500);
  });
});

describe('events', () => {
  const event = { specversion: '1.0', id: '1', source: '/s', type: 't', data: { a: 1 } } as const;

  test.each([
    ['a plain event object', event],
    ['an event of the cloudevents package', new SdkCloudEvent({ ...event })],
  ])('%s is answered in binary mode', async (_name, reply) => {
    await using kit = createFunctionKit(defineFunction.event(() => reply));
    const answer = await kit.send({ type: 'x' });
    expect(answer).toMatchObject({ status: 200, headers: { 'ce-id': '1', 'ce-type': 't', 'content-type': 'application/json' } });
    expect(answer.event?.data).toEqual({ a: 1 });
  });

  test('several events are answered as a batch', async () => {
    await using kit = createFunctionKit(defineFunction.event(() => [event, { ...event, id: '2' }]));
    expect((await kit.send({ type: 'x' })).events.map(({ id }) => id)).toEqual(['1', '2']);
  });

  test('a batch calls the function once per event and gathers the answers', async () => {
    const seen: string[] = [];
    await using kit = createFunctionKit(
      defineFunction.event((context, incoming) => {
        seen.push(incoming.id);
        return incoming.id === '2' ? undefined : context.cloudEventResponse({ of: incoming.id }).type('r').response();
      }),
    );
    const answer = await kit.send([
      { id: '1', type: 'x' },
      { id: '2', type: 'x' },
      { id: '3', type: 'x' },
    ]);
    expect(seen).toEqual(['1', '2', '3']);
    expect(answer.events.map(({ data }) => data)).toEqual([{ of: '1' }, { of: '3' }]);
  });

  test('a plain value that answers an event is warned about once', async () => {
    await using kit = createFunctionKit(defineFunction.event(() => ({ done: true })));
    await kit.send({ type: 'x' });
    await kit.send({ type: 'x' });
    expect(kit.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('a reply without a type is an error that says so', async () => {
    await using kit = createFunctionKit(defineFunction.event((context) => context.cloudEventResponse({}).response()));
    const answer = await kit.send({ type: 'x' });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain("name it with .type('…')");
  });

  test('an event arrives with its attributes and data, whatever the mode', async () => {
    await using kit = createFunctionKit(defineFunction.event((_context, incoming) => ({ ...incoming })));
    for (const mode of ['binary', 'structured'] as const) {
      const answer = await kit.send(
        { id: 'e', type: 'x', source: '/s', subject: 'grün', myext: 'v', time: '2026-01-01T00:00:00Z', data: { a: 1 } },
        { mode },
      );
      // The spread of the event is an event itself, and is sent as one.
      expect(answer.event).toMatchObject({ id: 'e', subject: 'grün', myext: 'v', time: '2026-01-01T00:00:00Z', data: { a: 1 } });
    }
  });

  test.each([
    ['no event at all', { body: { a: 1 } }],
    ['a missing type', { method: 'POST', headers: { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s' } }],
    [
      'an unknown version',
      { method: 'POST', headers: { 'ce-specversion': '9.9', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' } },
    ],
    ['broken JSON', { headers: { 'content-type': 'application/cloudevents+json' }, body: '{' }],
    [
      'broken data',
      {
        headers: { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'content-type': 'application/json' },
        body: '{',
      },
    ],
  ])('%s is a 400', async (_name, request) => {
    await using kit = createFunctionKit(defineFunction.event(() => undefined));
    expect((await kit.request(request)).status).toBe(400);
  });
});
