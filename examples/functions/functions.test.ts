import { createFunctionKit, createVirtualClock } from 'knative-embed/testing';
import { expect, test } from 'vitest';
import event from './event.ts';
import http from './http.ts';
import streaming from './streaming.ts';
import typed from './typed.ts';

test('the HTTP function greets, echoes and refuses', async () => {
  await using kit = createFunctionKit(http);
  expect((await kit.request('/?name=Ada')).json()).toEqual({ greeting: 'Hello, Ada!' });
  expect((await kit.request({ method: 'POST', body: { a: 1 } })).json()).toEqual({ received: { a: 1 } });
  expect(await kit.request('/?name=')).toMatchObject({ status: 400, text: 'a name must not be empty' });
  expect(kit.logs).toContainEqual({ level: 'info', fields: { path: '/' }, message: 'called' });
});

test('the event function answers with an event and reports large orders', async () => {
  await using kit = createFunctionKit(event);
  const answer = await kit.send({ type: 'order.placed', data: { order: 'o-1', total: 2_000 } });
  expect(answer.event).toMatchObject({ type: 'order.accepted', subject: 'o-1', data: { order: 'o-1' } });
  expect(kit.emitted).toMatchObject([{ type: 'audit.requested', data: { total: 2_000 } }]);
});

test('a failing sink fails the call, so that the event is delivered again', async () => {
  await using kit = createFunctionKit(event);
  kit.failNextEmit(new Error('the sink is down'));
  expect((await kit.send({ type: 'order.placed', data: { order: 'o-1', total: 2_000 } })).status).toBe(500);
});

test('the typed function checks and converts the data', async () => {
  await using kit = createFunctionKit(typed);
  const answer = await kit.send({ type: 'signup', data: { email: 'ada@example.com', age: '36' } });
  expect(answer.event?.data).toEqual({ email: 'ada@example.com', adultFor: 18 });
  expect((await kit.send({ type: 'signup', data: { email: 'no', age: 36 } })).status).toBe(400);
});

test('the streaming function sends a tick a second', async () => {
  const clock = createVirtualClock();
  await using kit = createFunctionKit(streaming, { clock });
  const answer = kit.request('/?count=3');
  for (let second = 0; second < 3; second++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advanceSync(1_000);
  }
  expect((await answer).text).toBe('data: tick 1\n\ndata: tick 2\n\ndata: tick 3\n\n');
});
