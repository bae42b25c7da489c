import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import { createEvent, decodeHttp, encodeBinary, EventFault, type EventMessage } from '../../src/cloudevents/index.ts';
import type { BrokerOptions } from '../../src/eventing/broker-types.ts';
import { createBroker } from '../../src/eventing/broker.ts';
import { createIngress } from '../../src/eventing/ingress.ts';
import { createMemoryNetwork, readBody } from '../../src/http/index.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

const event = (type: string, id = '1'): EventMessage => createEvent({ id, source: '/test', type, data: { n: 1 } });

async function world(options: BrokerOptions = {}) {
  const clock = createVirtualClock();
  const network = createMemoryNetwork();
  const lost: string[] = [];
  const broker = await createBroker({
    clock,
    client: network.client,
    onParked: (trigger, { id }) => void lost.push(`${trigger} ${id}`),
    ...options,
  });
  return { clock, network, broker, lost };
}

describe('a broker', () => {
  test('delivers to the triggers whose filters match and takes replies in', async () => {
    const { broker } = await world();
    const got: string[] = [];
    broker.addTrigger('ask', {
      filter: { attributes: { type: 'ask' } },
      subscriber: (asked) => createEvent({ id: `re-${asked.id}`, source: '/answerer', type: 'answer' }),
    });
    broker.addTrigger('answers', { filters: [{ prefix: { type: 'ans' } }], subscriber: (answer) => void got.push(answer.id) });
    expect(await broker.publish(event('ask', '7'))).toEqual({ triggers: ['ask'] });
    await settle();
    expect(got).toEqual(['re-7']);
    expect(broker.explain(event('ask')).map(({ id, matched }) => [id, matched])).toEqual([
      ['ask', true],
      ['answers', false],
    ]);
    await broker.close();
  });

  test('retries with back-off, then dead letters with the reason', async () => {
    const { broker, network, clock } = await world();
    const attempts: number[] = [];
    const dead: EventMessage[] = [];
    network.register('down.example.com', (exchange) => {
      attempts.push(clock.monotonic());
      exchange.respond(503, [], 'no');
    });
    network.register('dead.example.com', async (exchange) => {
      const letter = decodeHttp(exchange.rawHeaders, await readBody(exchange));
      if (!(letter instanceof EventFault)) dead.push(letter);
      exchange.respond(202, []);
    });
    broker.addTrigger('t', {
      subscriber: 'http://down.example.com/',
      delivery: {
        retry: 3,
        backoffPolicy: 'exponential',
        backoffDelay: 'PT1S',
        deadLetterSink: { uri: 'http://dead.example.com/' },
      },
    });
    await broker.publish(event('x'));
    for (let i = 0; i < 6; i++) {
      await settle();
      clock.advanceSync(4_000);
    }
    expect(attempts).toEqual([0, 4_000, 8_000, 12_000]);
    expect(dead[0]?.extension('knativeerrordest')).toBe('http://down.example.com/');
    expect(dead[0]?.extension('knativeerrorcode')).toBe('503');
    expect(broker.backlog('t')).toBe(0);
    await broker.close();
  });

  test('ends circles by the hop count and tells about events that nobody took', async () => {
    const { broker, lost } = await world({ ttlMax: 3 });
    let turns = 0;
    broker.addTrigger('loop', {
      subscriber: (again) => {
        turns++;
        return createEvent({ id: again.id, source: '/loop', type: 'again' });
      },
    });
    await broker.publish(event('start'));
    await settle();
    expect(turns).toBe(3);
    expect(lost).toEqual(['loop 1']);
    await broker.close();
  });

  test('ordered triggers get one event after the other', async () => {
    const { broker } = await world();
    const log: string[] = [];
    broker.addTrigger('slow', {
      order: 'ordered',
      subscriber: async ({ id }) => {
        log.push(`start ${id}`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`end ${id}`);
      },
    });
    for (const id of ['1', '2', '3']) await broker.publish(event('x', id));
    await broker.close();
    for (let i = 0; i < 5; i++) await settle();
    expect(log.slice(0, 2)).toEqual(['start 1', 'end 1']);
    expect(log.join()).not.toMatch(/start (\d),start/);
  });

  test('a subscriber whose answer is no event has failed', async () => {
    const { broker, network, lost } = await world();
    network.register('plain.example.com', (exchange) =>
      exchange.respond(200, ['content-type', 'application/json'], '{"ok":true}'),
    );
    broker.addTrigger('t', { subscriber: 'http://plain.example.com/' });
    await broker.publish(event('x'));
    await settle();
    expect(lost).toEqual(['t 1']);
    await broker.close();
  });
});

describe('the ingress', () => {
  test('takes events in both modes and refuses the rest as upstream does', async () => {
    const { broker, network } = await world();
    const got: string[] = [];
    broker.addTrigger('all', { subscriber: ({ id }) => void got.push(id) });
    network.register(
      'ingress',
      createIngress({ brokerOf: (namespace, name) => (namespace === 'ns' && name === 'b' ? broker : undefined) }),
    );
    const send = async (
      method: string,
      path: string,
      rawHeaders: readonly string[] = [],
      body?: Uint8Array | string,
    ): Promise<number> =>
      (
        await network.client.request({
          method,
          url: `http://ingress${path}`,
          rawHeaders,
          ...(body === undefined ? {} : { body }),
        })
      ).status;
    const binary = encodeBinary(event('x', 'b1'));
    expect(await send('POST', '/ns/b', binary.rawHeaders, binary.body)).toBe(202);
    expect(
      await send(
        'POST',
        '/ns/b/',
        ['content-type', 'application/cloudevents+json'],
        '{"specversion":"1.0","id":"s1","source":"/s","type":"x"}',
      ),
    ).toBe(202);
    expect(await send('POST', '/ns/other', binary.rawHeaders, binary.body)).toBe(404);
    expect(await send('POST', '/ns/b', ['content-type', 'application/json'], '{}')).toBe(400);
    expect(await send('GET', '/ns/b')).toBe(405);
    expect(await send('OPTIONS', '/')).toBe(200);
    expect(await send('POST', '/ns/b/c', binary.rawHeaders, binary.body)).toBe(400);
    await settle();
    expect(got).toEqual(['b1', 's1']);
    await broker.close();
    expect(await send('POST', '/ns/b', binary.rawHeaders, binary.body)).toBe(503);
  });
});
