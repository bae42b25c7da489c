import assert from 'node:assert/strict';
import { realClock, sleep } from '../clock.ts';
import { createEvent, EventMessage } from '../cloudevents/index.ts';
import type { EventLog, LogCapability, LogConsumer, LogDelivery, LogTrigger } from '../eventing/index.ts';

/** One rule of the event log port. `run` rejects when the log does not keep it. */
export interface LogCase {
  readonly name: string;
  readonly run: (make: MakeLog) => Promise<void>;
}

/**
 * Makes a log that is not open yet. Within one case the same `key` names the same storage, so that a second log with it finds what a first one left
 * when it was closed; different keys share nothing.
 */
export type MakeLog = (key: string) => EventLog;

export const logEvent = (id: string, data: unknown = { n: id }): EventMessage =>
  createEvent({ id, source: '/log-suite', type: 'suite', data });

/** Takes deliveries from one trigger and waits for them. */
export class LogTaker {
  readonly taken: LogDelivery[] = [];
  readonly #consumer: LogConsumer;
  #changed: (() => void) | undefined;

  constructor(trigger: LogTrigger, prefetch = 100) {
    this.#consumer = trigger.consume({ onReady: () => queueMicrotask(() => this.#drain()), prefetch });
  }

  #drain(): void {
    for (let next = this.#consumer.next(); next !== undefined; next = this.#consumer.next()) this.taken.push(next);
    this.#changed?.();
  }

  get ids(): string[] {
    return this.taken.map(({ event }) => event.id);
  }

  /** Resolves when `count` deliveries were taken, rejects after `timeoutMs`. */
  async take(count: number, timeoutMs = 20_000): Promise<LogDelivery[]> {
    const deadline = realClock.monotonic() + timeoutMs;
    while (this.taken.length < count) {
      const left = deadline - realClock.monotonic();
      if (left <= 0) throw new Error(`${this.taken.length} of ${count} deliveries after ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = realClock.setTimer(left, resolve);
        this.#changed = () => {
          timer[Symbol.dispose]();
          resolve();
        };
      });
    }
    return this.taken.slice(0, count);
  }

  close(): void {
    this.#consumer.close();
  }
}

async function opened(make: MakeLog, key = 'a'): Promise<EventLog> {
  const log = make(key);
  await log.open();
  return log;
}

/** Waits until what a log reports is as expected: acknowledgements may reach a server later. */
export async function eventually(check: () => Promise<boolean>, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = realClock.monotonic() + timeoutMs;
  while (!(await check())) {
    if (realClock.monotonic() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(realClock, 20);
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const none: readonly string[] = [];
const reason = { destination: 'http://sink.example.com/', status: 503, message: 'no\n"room"', attempts: 4 };

/** Rules of every log. */
export const logCases: readonly LogCase[] = [
  {
    name: 'hands each trigger its events in order of appending',
    run: async (make) => {
      await using log = await opened(make);
      const [a, b] = [log.trigger('a'), log.trigger('b/with some: signs.*>')];
      const taker = new LogTaker(a);
      const other = new LogTaker(b);
      const sent: string[] = [];
      for (let n = 0; n < 50; n++) {
        sent.push(String(n));
        await log.append(logEvent(String(n)), n % 2 === 0 ? [a, b] : [a], none);
      }
      await taker.take(50);
      await other.take(25);
      assert.deepEqual(taker.ids, sent);
      assert.deepEqual(
        other.ids,
        sent.filter((id) => Number(id) % 2 === 0),
      );
      const positions = taker.taken.map(({ position }) => position);
      assert.deepEqual(
        positions,
        [...positions].sort((x, y) => x - y),
      );
      assert.equal(new Set(positions).size, 50);
      assert.equal(taker.taken[0]?.attempt, 1);
      taker.close();
      other.close();
    },
  },
  {
    name: 'keeps an event as it is: attributes with their types, data as value or bytes, headers beside it',
    run: async (make) => {
      const events = [
        new EventMessage({
          id: 'a\u0000b ☃ \ud83d\ude00',
          source: 'urn:x',
          type: '',
          subject: '',
          time: '2024-01-01T00:00:00.123Z',
          datacontenttype: 'text/plain',
          dataschema: 'http://s/',
          extensions: ['s', 'text', 'n', -3, 't', true, 'f', false, 'x', new Uint8Array([0, 255, 7]), 'e', ''],
          body: Buffer.from([0, 1, 2, 255]),
        }),
        new EventMessage({ id: '2', source: '/', type: 't', data: { deep: [1, null, { a: 'é' }] } }),
        new EventMessage({ id: '3', source: '/', type: 't', data: null }),
        new EventMessage({ id: '4', source: '/', type: 't', datacontenttype: 'text/plain', data: 'plain' }),
        new EventMessage({ specversion: '0.3', id: '5', source: '/', type: 't' }),
        new EventMessage({ id: '6', source: '/', type: 't', body: new Uint8Array(0) }),
        new EventMessage({ id: '7', source: '/', type: 't', body: Buffer.alloc(300_000, 7) }),
      ];
      const headers = ['kn-ttl', '7', 'Traceparent', '00-ü'];
      // Two logs, so that what is handed out comes from storage and not from the sender's memory.
      {
        await using log = await opened(make);
        if (log.kind === 'memory') return;
        const trigger = log.trigger('t');
        for (const event of events) await log.append(event, [trigger], headers);
      }
      await using log = await opened(make);
      const taker = new LogTaker(log.trigger('t'));
      const got = await taker.take(events.length);
      for (const [at, event] of events.entries()) {
        const back = got[at];
        assert.deepEqual({ ...back?.event.attributes() }, { ...event.attributes() });
        assert.equal(back?.event.hasValue, event.hasValue);
        assert.equal(back?.event.hasData, event.hasData);
        if (event.hasValue) assert.deepEqual(back?.event.data(), event.data());
        else assert.deepEqual(back?.event.body && [...back.event.body], event.body && [...event.body]);
        assert.deepEqual(back?.rawHeaders, headers);
      }
      taker.close();
    },
  },
  {
    name: 'counts the backlog, and what is acknowledged leaves it',
    run: async (make) => {
      await using log = await opened(make);
      const trigger = log.trigger('t');
      for (let n = 0; n < 10; n++) await log.append(logEvent(String(n)), [trigger], none);
      await eventually(() => Promise.resolve(trigger.backlog === 10), 'a backlog of 10');
      const taker = new LogTaker(trigger);
      const taken = await taker.take(10);
      for (const delivery of taken.slice(0, 4)) delivery.ack();
      await eventually(async () => (await trigger.stats()).backlog === 6, 'a backlog of 6');
      const stats = await trigger.stats();
      assert.equal(stats.inHand, 6);
      assert.ok(stats.lowWatermark < (taken[4]?.position ?? 0));
      assert.ok(stats.lowWatermark >= (taken[3]?.position ?? 0));
      assert.notEqual(stats.oldestMs, undefined);
      taker.close();
    },
  },
  {
    name: 'gives one trigger to one consumer at a time, and to the next what was not acknowledged',
    run: async (make) => {
      await using log = await opened(make);
      const trigger = log.trigger('t');
      const taker = new LogTaker(trigger);
      assert.throws(() => trigger.consume({ onReady: () => undefined, prefetch: 1 }), { code: 'EVENTING_LOG_CONSUMED' });
      for (let n = 0; n < 4; n++) await log.append(logEvent(String(n)), [trigger], none);
      const [first] = await taker.take(4);
      first?.ack();
      taker.close();
      const next = new LogTaker(trigger);
      await next.take(3);
      assert.deepEqual(next.ids, ['1', '2', '3']);
      for (const delivery of next.taken) delivery.ack();
      await eventually(async () => (await trigger.stats()).backlog === 0, 'no backlog');
      next.close();
    },
  },
  {
    name: 'hands an event out again that was given back',
    run: async (make) => {
      await using log = await opened(make);
      const trigger = log.trigger('t');
      const taker = new LogTaker(trigger);
      await log.append(logEvent('1'), [trigger], none);
      const [first] = await taker.take(1);
      first?.nack(10);
      const [, again] = await taker.take(2);
      assert.equal(again?.event.id, '1');
      assert.equal(again?.attempt, 2);
      again?.ack();
      await eventually(async () => (await trigger.stats()).backlog === 0, 'no backlog');
      taker.close();
    },
  },
  {
    name: 'sets an event aside with its reason, until somebody drops it',
    run: async (make) => {
      await using log = await opened(make);
      const [trigger, other] = [log.trigger('t'), log.trigger('u')];
      const taker = new LogTaker(trigger);
      await log.append(logEvent('1'), [trigger], ['kn-ttl', '3']);
      await log.append(logEvent('2'), [trigger], none);
      const [first, second] = await taker.take(2);
      await first?.park(reason);
      await second?.park({ ...reason, attempts: 1 });
      await eventually(async () => (await trigger.stats()).backlog === 0, 'no backlog');
      const [parked, ...rest] = await collect(log.parked());
      assert.equal(rest.length, 1);
      assert.deepEqual(
        { destination: parked?.destination, status: parked?.status, message: parked?.message, attempts: parked?.attempts },
        reason,
      );
      assert.equal(parked?.trigger, 't');
      assert.equal(parked?.event.id, '1');
      assert.deepEqual(parked?.event.data(), { n: '1' });
      assert.deepEqual(parked?.rawHeaders, ['kn-ttl', '3']);
      assert.equal((await trigger.stats()).parked, 2);
      assert.deepEqual(await collect(log.parked('u')), []);
      assert.equal(await log.unpark(parked?.id ?? ''), true);
      assert.equal(await log.unpark(parked?.id ?? ''), false);
      assert.deepEqual(
        (await collect(log.parked('t'))).map(({ event }) => event.id),
        ['2'],
      );
      assert.equal((await other.stats()).parked, 0);
      taker.close();
    },
  },
  {
    name: 'forgets a removed trigger with its backlog',
    run: async (make) => {
      await using log = await opened(make);
      const trigger = log.trigger('t');
      const kept = log.trigger('k');
      await log.append(logEvent('old'), [trigger, kept], none);
      await log.remove('t');
      assert.deepEqual([...log.triggers], ['k']);
      const again = log.trigger('t');
      assert.equal(again.backlog, 0);
      const taker = new LogTaker(again);
      const keeper = new LogTaker(kept);
      await log.append(logEvent('new'), [again], none);
      await taker.take(1);
      await keeper.take(1);
      assert.deepEqual(taker.ids, ['new']);
      assert.deepEqual(keeper.ids, ['old']);
      taker.close();
      keeper.close();
    },
  },
  {
    name: 'refuses events once it is closed, and closes twice',
    run: async (make) => {
      const log = await opened(make);
      const trigger = log.trigger('t');
      await log.close();
      await log.close();
      await assert.rejects(async () => await log.append(logEvent('1'), [trigger], none), { code: 'EVENTING_LOG_UNAVAILABLE' });
    },
  },
  {
    name: 'does not store an event that cannot be written, and takes the next one',
    run: async (make) => {
      await using log = await opened(make);
      if (log.kind === 'memory') return;
      const trigger = log.trigger('t');
      const circle: Record<string, unknown> = {};
      circle['self'] = circle;
      const bad = new EventMessage({ id: 'bad', source: '/', type: 't', data: circle });
      await assert.rejects(async () => await log.append(bad, [trigger], none), { code: 'CLOUDEVENTS_DATA' });
      await log.append(logEvent('good'), [trigger], none);
      const taker = new LogTaker(trigger);
      await taker.take(1);
      assert.deepEqual(taker.ids, ['good']);
      taker.close();
    },
  },
];

/** Rules of logs whose events outlive the process. */
export const durableLogCases: readonly LogCase[] = [
  {
    name: 'has backlog, triggers and parked events after it was closed and opened again',
    run: async (make) => {
      {
        await using log = await opened(make);
        const [a, b] = [log.trigger('a'), log.trigger('b')];
        for (let n = 0; n < 20; n++) await log.append(logEvent(String(n)), [a, b], none);
        const taker = new LogTaker(a);
        const taken = await taker.take(20);
        for (const delivery of taken.slice(0, 5)) delivery.ack();
        await taken[5]?.park(reason);
        await eventually(async () => (await a.stats()).backlog === 14, 'a backlog of 14');
        taker.close();
      }
      await using log = await opened(make);
      assert.deepEqual([...log.triggers].sort(), ['a', 'b']);
      const [a, b] = [log.trigger('a'), log.trigger('b')];
      await eventually(async () => (await a.stats()).backlog === 14 && (await b.stats()).backlog === 20, 'the backlog');
      const [takeA, takeB] = [new LogTaker(a), new LogTaker(b)];
      await takeA.take(14);
      await takeB.take(20);
      assert.deepEqual(
        takeA.ids,
        Array.from({ length: 14 }, (_, n) => String(n + 6)),
      );
      assert.deepEqual(
        takeB.ids,
        Array.from({ length: 20 }, (_, n) => String(n)),
      );
      assert.deepEqual(
        (await collect(log.parked())).map(({ event, attempts }) => [event.id, attempts]),
        [['5', 4]],
      );
      await log.append(logEvent('more'), [a], none);
      await takeA.take(15);
      const positions = takeA.taken.map(({ position }) => position);
      assert.ok((positions[14] ?? 0) > (positions[13] ?? 0));
      takeA.close();
      takeB.close();
    },
  },
  {
    name: 'does not bring a removed trigger back',
    run: async (make) => {
      {
        await using log = await opened(make);
        const [a, b] = [log.trigger('a'), log.trigger('b')];
        for (let n = 0; n < 3; n++) await log.append(logEvent(String(n)), [a, b], none);
        await log.remove('a');
      }
      await using log = await opened(make);
      assert.deepEqual([...log.triggers], ['b']);
      assert.equal((await log.trigger('a').stats()).backlog, 0);
    },
  },
];

/** Rules of the capabilities that a log names. */
export const logCapabilityCases: Readonly<Record<LogCapability, readonly LogCase[]>> = {
  replay: [
    {
      name: 'reads stored events again, done or not, from a position or a time',
      run: async (make) => {
        await using log = await opened(make);
        const trigger = log.trigger('t');
        for (let n = 0; n < 10; n++) await log.append(logEvent(String(n)), n % 2 === 0 ? [trigger] : [], ['h', String(n)]);
        const taker = new LogTaker(trigger);
        for (const delivery of await taker.take(5)) delivery.ack();
        assert.ok(log.read !== undefined);
        const all = await collect(log.read());
        assert.deepEqual(
          all.map(({ event }) => event.id),
          ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        );
        assert.deepEqual(all[4]?.triggers, ['t']);
        assert.deepEqual(all[5]?.triggers, []);
        assert.deepEqual(all[5]?.rawHeaders, ['h', '5']);
        const [from, to] = [all[3]?.position ?? 0, all[6]?.position ?? 0];
        const part = await collect(log.read({ fromPosition: from, toPosition: to }));
        assert.deepEqual(
          part.map(({ event }) => event.id),
          ['3', '4', '5', '6'],
        );
        const later = await collect(log.read({ fromMs: (all[9]?.timeMs ?? 0) + 100_000 }));
        assert.deepEqual(later, []);
        assert.equal((await collect(log.read({ fromMs: all[0]?.timeMs ?? 0 }))).length, 10);
        taker.close();
      },
    },
  ],
  'ack-single': [
    {
      name: 'after a restart only those come again that were not acknowledged',
      run: async (make) => {
        const acknowledged = new Set(['0', '2', '3', '7']);
        {
          await using log = await opened(make);
          if (log.kind === 'memory') return;
          const trigger = log.trigger('t');
          for (let n = 0; n < 9; n++) await log.append(logEvent(String(n)), [trigger], none);
          const taker = new LogTaker(trigger);
          for (const delivery of await taker.take(9)) if (acknowledged.has(delivery.event.id)) delivery.ack();
          await eventually(async () => (await trigger.stats()).backlog === 5, 'a backlog of 5');
          taker.close();
        }
        await using log = await opened(make);
        const taker = new LogTaker(log.trigger('t'));
        await taker.take(5);
        assert.deepEqual([...taker.ids].sort(), ['1', '4', '5', '6', '8']);
        taker.close();
      },
    },
  ],
  extend: [
    {
      name: 'a delivery that is extended is not handed out again',
      run: async (make) => {
        await using log = await opened(make);
        assert.ok(log.ackWaitMs !== undefined, 'a log that can extend says how long a delivery may be in hand');
        const trigger = log.trigger('t');
        const taker = new LogTaker(trigger);
        await log.append(logEvent('1'), [trigger], none);
        const [first] = await taker.take(1);
        for (let n = 0; n < 5; n++) {
          await sleep(realClock, log.ackWaitMs / 2);
          first?.extend?.();
        }
        assert.deepEqual(taker.ids, ['1']);
        first?.ack();
        await eventually(async () => (await trigger.stats()).backlog === 0, 'no backlog');
        taker.close();
      },
    },
  ],
};

/** Everything that a log with these capabilities has to keep. */
export function logSuite(kind: {
  readonly durable: boolean;
  readonly capabilities: Iterable<LogCapability>;
}): readonly (LogCase & { readonly group: string })[] {
  const suite = logCases.map((rule) => ({ ...rule, group: 'every log' }));
  if (kind.durable) suite.push(...durableLogCases.map((rule) => ({ ...rule, group: 'durable' })));
  for (const capability of kind.capabilities) {
    suite.push(...logCapabilityCases[capability].map((rule) => ({ ...rule, group: capability })));
  }
  return suite;
}
