import { expect, test } from 'vitest';
import { createFunctionRuntime, defineFunction } from '../../src/functions/index.ts';
import { createMemoryNetwork } from '../../src/http/index.ts';
import { createExchangeRecorder, replayExchanges } from '../../src/testing/function-recorder.ts';

test('what was recorded replays without differences, and a change is found', async () => {
  const recorder = createExchangeRecorder();
  const before = createFunctionRuntime(
    defineFunction((context, body) => ({ method: context.method, body, at: context.clock.now() })),
  );
  const { client } = createMemoryNetwork({ fallback: recorder.record(before.handler) });
  for (const body of ['{"a":1}', '{"a":2}']) {
    const answer = await client.request({
      method: 'POST',
      url: 'http://f/x',
      rawHeaders: ['content-type', 'application/json', 'authorization', 'secret'],
      body,
    });
    await answer.text();
  }
  expect(recorder.exchanges).toMatchObject([
    {
      request: { method: 'POST', path: '/x', headers: { 'content-type': 'application/json' }, body: { text: '{"a":1}' } },
      response: { status: 200 },
    },
    { request: { body: { text: '{"a":2}' } } },
  ]);
  expect(JSON.stringify(recorder.exchanges)).not.toContain('secret');
  expect(await replayExchanges(before.handler, recorder.exchanges, { ignore: ['/at'] })).toEqual([]);
  const after = createFunctionRuntime(defineFunction(() => ({ statusCode: 202, body: 'text' })));
  const differences = await replayExchanges(after.handler, recorder.exchanges.slice(0, 1), { ignore: ['/at'] });
  expect(differences.map(({ what }) => what)).toEqual(['status', 'content-type', 'body']);
});
