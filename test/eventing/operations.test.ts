import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import { createEvent, encodeBinary, type EventMessage } from '../../src/cloudevents/index.ts';
import { KnativeError } from '../../src/errors.ts';
import type { Broker, BrokerOptions } from '../../src/eventing/broker-types.ts';
import { createBroker } from '../../src/eventing/broker.ts';
import { createIngress } from '../../src/eventing/ingress.ts';
import type { ParkedEvent } from '../../src/eventing/log.ts';
import { AckWindow } from '../../src/eventing/logs/ack-window.ts';
import { memoryLog } from '../../src/eventing/logs/memory.ts';
import { createMemoryNetwork } from '../../src/http/index.ts';
import { createRegistry, createTracer, type FinishedSpan } from '../../src/telemetry/index.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
};
const event = (id: string, type = 't', extensions: Record<string, string> = {}): EventMessage =>
  createEvent({ id, source: '/test', type, data: { id }, extensions });
const refuse = (status = 503): never => {
  throw new KnativeError('EVENTING_TEST', 'refused', { status });
};

async function world(options: BrokerOptions = {}) {
  const clock = createVirtualClock();
  const network = createMemoryNetwork();
  const broker = await createBroker({ clock, client: network.client, log: memoryLog({ clock }), ...options });
  return { clock, network, broker };
}

async function parkedOf(broker: Broker): Promise<ParkedEvent[]> {
  const parked: ParkedEvent[] = [];
  for await (const each of broker.parked()) parked.push(each);
  return parked;
}

describe('parking', () => {
  test('an event that nobody takes is parked with reason and attempts, redriven, or dropped', async () => {
    const { broker, clock } = await world();
    let isDown = true;
    const got: string[] = [];
    broker.addTrigger('t', {
      subscriber: ({ id }) => (isDown ? refuse() : void got.push(id)),
      delivery: { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT1S' },
    });
    for (const id of ['1', '2', '3']) await broker.publish(event(id));
    for (let i = 0; i < 4; i++) {
      await settle();
      clock.advanceSync(1_000);
    }
    await settle();
    const parked = await parkedOf(broker);
    expect(
      parked.map(({ event: { id }, trigger, destination, status, message, attempts }) => [
        id,
        trigger,
        destination,
        status,
        message,
        attempts,
      ]),
    ).toEqual(['1', '2', '3'].map((id) => [id, 't', 'function', 503, 'refused', 3]));
    expect((await broker.status()).triggers).toMatchObject([{ trigger: 't', backlog: 0, parked: 3, lagMs: 0 }]);
    isDown = false;
    expect(await broker.drop(parked[0]?.id ?? '')).toBe(true);
    expect(await broker.drop('nothing')).toBe(false);
    expect(await broker.redrive({ ids: [parked[1]?.id ?? ''] })).toBe(1);
    await settle();
    expect(got).toEqual(['2']);
    expect(await broker.redrive()).toBe(1);
    await settle();
    expect(got).toEqual(['2', '3']);
    expect(await parkedOf(broker)).toEqual([]);
  });

  test('a refusal that is not worth another try is parked at once', async () => {
    const { broker } = await world();
    broker.addTrigger('t', { subscriber: () => refuse(400), delivery: { retry: 5 } });
    await broker.publish(event('1'));
    await settle();
    expect(await parkedOf(broker)).toMatchObject([{ status: 400, attempts: 1 }]);
  });

  test('the dead letter sink of the broker serves triggers without one', async () => {
    const dead: EventMessage[] = [];
    const { broker } = await world({ deadLetterSink: (letter) => void dead.push(letter) });
    broker.addTrigger('t', { subscriber: () => refuse(400) });
    await broker.publish(event('1'));
    await settle();
    expect(dead[0]?.attributes()).toMatchObject({ knativeerrorcode: 400, knativeerrordest: 'function' });
    expect(await parkedOf(broker)).toEqual([]);
  });
});

describe('flow', () => {
  test('pause keeps events, resume delivers them, the lag grows meanwhile', async () => {
    const { broker, clock } = await world();
    const got: string[] = [];
    broker.addTrigger('t', { subscriber: ({ id }) => void got.push(id) });
    broker.pause('t');
    await broker.publish(event('1'));
    clock.advanceSync(5_000);
    await settle();
    expect(got).toEqual([]);
    expect((await broker.status()).triggers).toMatchObject([{ paused: true, backlog: 1, lagMs: 5_000 }]);
    broker.resume('t');
    await settle();
    expect(got).toEqual(['1']);
    expect(() => broker.pause('other')).toThrowError(expect.objectContaining({ code: 'EVENTING_TRIGGER_UNKNOWN' }));
  });

  test('a full log answers 429 with Retry-After, never loses silently, and takes more when there is room', async () => {
    const clock = createVirtualClock();
    const { broker, network } = await world({ clock, log: memoryLog({ clock, eventsMax: 2 }) });
    const got: string[] = [];
    broker.addTrigger('t', { subscriber: ({ id }) => void got.push(id), paused: true });
    network.register('ingress', createIngress({ brokerOf: () => broker }));
    const send = async (id: string): Promise<[number, string | undefined]> => {
      const { rawHeaders, body } = encodeBinary(event(id));
      const request = { method: 'POST', url: 'http://ingress/ns/b', rawHeaders, ...(body === undefined ? {} : { body }) };
      const response = await network.client.request(request);
      return [response.status, response.header('retry-after')];
    };
    expect([await send('1'), await send('2'), await send('3')]).toEqual([
      [202, undefined],
      [202, undefined],
      [429, '1'],
    ]);
    await expect(broker.publish(event('4'))).rejects.toMatchObject({ code: 'EVENTING_LOG_FULL', retryAfterMs: 1_000 });
    broker.resume('t');
    await settle();
    expect(await send('5')).toEqual([202, undefined]);
    await broker.close();
    expect(await send('6')).toEqual([503, '1']);
  });

  test('partitions are ordered in themselves and do not wait for each other', async () => {
    const { broker, clock } = await world();
    const log: string[] = [];
    broker.addTrigger('t', {
      order: 'ordered',
      subscriber: async ({ id }) => {
        await new Promise<void>((resolve) => void clock.setTimer(id.startsWith('slow') ? 1_000 : 10, resolve));
        log.push(id);
      },
    });
    for (const [id, key] of [
      ['slow1', 'a'],
      ['slow2', 'a'],
      ['quick1', 'b'],
      ['quick2', 'b'],
    ] as const) {
      await broker.publish(event(id, 't', { partitionkey: key }));
    }
    for (let i = 0; i < 250; i++) {
      await settle();
      clock.advanceSync(10);
    }
    expect(log).toEqual(['quick1', 'quick2', 'slow1', 'slow2']);
  });

  test('at most `parallelism` tries run at a time; one that times out is tried again', async () => {
    const { broker, clock } = await world();
    let running = 0;
    let most = 0;
    const signals: AbortSignal[] = [];
    broker.addTrigger('t', {
      parallelism: 2,
      delivery: { retry: 1, timeout: 'PT1S' },
      subscriber: async (_, { signal }) => {
        signals.push(signal);
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => {
            running--;
            resolve();
          }),
        );
      },
    });
    for (let id = 0; id < 4; id++) await broker.publish(event(String(id)));
    for (let i = 0; i < 6; i++) {
      await settle();
      clock.advanceSync(1_000);
    }
    await settle();
    expect(most).toBe(2);
    expect(signals).toHaveLength(8);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect((await parkedOf(broker)).map(({ message }) => message)).toEqual(Array(4).fill('no answer within 1000 ms'));
  });

  test('other options of a trigger hold for what is delivered afterwards', async () => {
    const { broker } = await world();
    const got: string[] = [];
    broker.addTrigger('t', { subscriber: ({ id }) => void got.push(`old ${id}`), paused: true });
    await broker.publish(event('1'));
    expect(() => broker.addTrigger('t', { subscriber: 'http://x/', delivery: { timeout: '1s' } })).toThrowError();
    expect(() => broker.addTrigger('t', { subscriber: 'http://x/', filters: [{ cesql: '(' }] })).toThrowError();
    broker.addTrigger('t', { subscriber: ({ id }) => void got.push(`new ${id}`), paused: false });
    await settle();
    expect(got).toEqual(['new 1']);
    await broker.removeTrigger('t');
    expect(await broker.publish(event('2'))).toEqual({ triggers: [] });
  });
});

describe('idempotence', () => {
  test('an event of the same source and id within the window is taken, but not stored again', async () => {
    const { broker, clock } = await world({ deduplicate: { windowMs: 10_000 } });
    const got: string[] = [];
    broker.addTrigger('t', { subscriber: ({ id }) => void got.push(id) });
    expect(await broker.publish(event('1'))).toEqual({ triggers: ['t'] });
    expect(await broker.publish(event('1'))).toEqual({ triggers: ['t'], duplicate: true });
    clock.advanceSync(10_001);
    expect(await broker.publish(event('1'))).toEqual({ triggers: ['t'] });
    await settle();
    expect(got).toEqual(['1', '1']);
  });

  test('the window is known again after a restart on a log with replay', async () => {
    const { broker, clock } = await world();
    broker.addTrigger('t', { subscriber: () => undefined });
    await broker.publish(event('1'));
    const next = await createBroker({ clock, log: broker.log, deduplicate: { windowMs: 60_000 } });
    expect(await next.publish(event('1'))).toMatchObject({ duplicate: true });
  });
});

describe('replay', () => {
  test('from a position or a time, to one trigger by its filter, or as a dry run', async () => {
    const { broker, clock } = await world({ keepUnmatched: true });
    const startMs = clock.now();
    for (const id of ['1', '2', '3', '4']) {
      await broker.publish(event(id, id === '2' ? 'other' : 't'));
      clock.advanceSync(1_000);
    }
    const got: string[] = [];
    broker.addTrigger('late', { filters: [{ exact: { type: 't' } }], subscriber: ({ id }) => void got.push(id) });
    expect(await broker.replay({ trigger: 'late', dryRun: true })).toEqual({
      read: 4,
      matched: 3,
      firstPosition: 1,
      lastPosition: 4,
    });
    await settle();
    expect(got).toEqual([]);
    expect(await broker.replay({ trigger: 'late', fromMs: startMs + 2_000 })).toMatchObject({ read: 2, matched: 2 });
    await settle();
    expect(got).toEqual(['3', '4']);
    expect(await broker.replay({ trigger: 'late', fromPosition: 1, toPosition: 2 })).toMatchObject({ read: 2, matched: 1 });
    await settle();
    expect(got).toEqual(['3', '4', '1']);
    const none = await world({ log: memoryLog({ replayEvents: 0 }) });
    none.broker.addTrigger('t', { subscriber: () => undefined });
    await expect(none.broker.replay({ trigger: 't' })).rejects.toMatchObject({ code: 'EVENTING_NO_REPLAY' });
  });
});

describe('history', () => {
  test('tells what became of an event and of the replies that it led to', async () => {
    const { broker, clock } = await world({ history: true });
    broker.addTrigger('ask', {
      filters: [{ exact: { type: 't' } }],
      subscriber: ({ id }) => createEvent({ id: `re-${id}`, source: '/ask', type: 'answer' }),
    });
    broker.addTrigger('answers', {
      filters: [{ exact: { type: 'answer' } }],
      subscriber: () => refuse(),
      delivery: { retry: 1, backoffPolicy: 'exponential', backoffDelay: 'PT1S' },
    });
    await broker.publish(event('1'));
    await settle();
    clock.advanceSync(2_000);
    await settle();
    const records = broker.history({ id: '1' });
    expect(records).toMatchObject([
      { id: '1', replyTo: undefined, ttl: 255, deliveries: [{ trigger: 'ask', state: 'delivered', tries: [{ status: 200 }] }] },
      {
        id: 're-1',
        replyTo: { id: '1', source: '/test', trigger: 'ask' },
        ttl: 254,
        deliveries: [{ trigger: 'answers', state: 'parked', tries: [{ status: 503 }, { status: 503 }], reason: { attempts: 2 } }],
      },
    ]);
    expect(broker.history({ id: 'unknown' })).toEqual([]);
  });
});

describe('tracing', () => {
  test('a trace goes through ingress, log, delivery and reply', async () => {
    const spans: FinishedSpan[] = [];
    const meter = createRegistry();
    const tracer = createTracer({ sampler: 'always', export: (span) => void spans.push(span) });
    const { broker, network } = await world({ tracer, meter, name: 'orders', namespace: 'shop' });
    const seen: (string | undefined)[] = [];
    network.register('subscriber', (exchange) => {
      seen.push(exchange.header('traceparent'), exchange.header('baggage'), exchange.header('x-request-id'));
      exchange.respond(202, []);
    });
    broker.addTrigger('shop/bill', { subscriber: 'http://subscriber/in' });
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await broker.publish(event('1'), {
      rawHeaders: ['traceparent', `00-${trace}-00f067aa0ba902b7-01`, 'baggage', 'a=b', 'X-Request-Id', 'r', 'Cookie', 'c'],
    });
    await settle();
    const client = spans.find(({ name }) => name === 'POST /in');
    expect(seen).toEqual([`00-${trace}-${client?.context.spanId}-01`, 'a=b', 'r']);
    expect(spans.map(({ name }) => name)).toEqual(['POST /in', 'send http://subscriber/in', 'trigger:bill.shop']);
    expect(meter.snapshot().find(({ name }) => name === 'kn.eventing.dispatch.duration')?.series[0]?.attributes).toMatchObject({
      'kn.broker.name': 'orders',
      'messaging.destination.name': 'trigger:bill.shop',
      'http.response.status_code': 202,
    });
  });

  test("without tracing of its own the sender's trace goes on unchanged", async () => {
    const { broker, network } = await world();
    const seen: (string | undefined)[] = [];
    network.register('subscriber', (exchange) => {
      seen.push(exchange.header('traceparent'));
      exchange.respond(202, []);
    });
    broker.addTrigger('t', { subscriber: 'http://subscriber/' });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await broker.publish(event('1'), { rawHeaders: ['Traceparent', traceparent] });
    await settle();
    expect(seen).toEqual([traceparent]);
  });
});

test('the acknowledged ranges are those of a plain list, whatever the order of acknowledgements', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(199), { maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (acks, count) => {
      const window = new AckWindow(5);
      const ordinals = Array.from({ length: count }, (_, at) => window.add(10 + at * 2));
      const done = new Set<number>();
      for (const at of acks.filter((each) => each < count)) {
        expect(window.ack(ordinals[at] ?? -1)).toBe(!done.has(at));
        done.add(at);
      }
      const firstOpen = ordinals.findIndex((_, at) => !done.has(at));
      const low = firstOpen < 0 ? count : firstOpen;
      expect(window.pending).toBe(count - done.size);
      expect(window.lowWatermark).toBe(low === 0 ? 5 : 10 + (low - 1) * 2);
      expect(window.oldest).toBe(firstOpen < 0 ? undefined : 10 + firstOpen * 2);
      const above = ordinals.flatMap((_, at) => (at > low && done.has(at) ? [10 + at * 2] : []));
      const listed = window
        .ranges()
        .flatMap(([first, last]) => Array.from({ length: (last - first) / 2 + 1 }, (_, at) => first + at * 2));
      expect(listed).toEqual(above);
    }),
  );
});
