import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/clock.ts';
import { createRandom } from '../../../src/random.ts';
import {
  createBreaker,
  createRequestLog,
  forwardedHeader,
  InstanceSet,
  RequestStats,
} from '../../../src/serving/data-plane/index.ts';
import { Deadline, DeadlineList } from '../../../src/serving/data-plane/deadline-list.ts';
import { IndexSet } from '../../../src/serving/data-plane/index-set.ts';
import { createMemoryNetwork } from '../../../src/http/index.ts';

describe('breaker', () => {
  test('run: waits, runs, turns away, gives up by signal', async () => {
    const breaker = createBreaker({ queueDepth: 1, maxConcurrency: 1 });
    let finish = (): void => undefined;
    const first = breaker.run(() => new Promise<string>((resolve) => (finish = () => resolve('first'))));
    const leaving = new AbortController();
    const second = breaker.run(() => 'second', leaving.signal);
    await expect(breaker.run(() => 'third')).rejects.toMatchObject({ code: 'SERVING_QUEUE_FULL', status: 503 });
    leaving.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    const third = breaker.run(() => Promise.reject(new Error('failed')));
    finish();
    expect(await first).toBe('first');
    await expect(third).rejects.toThrow('failed');
    expect([breaker.running, breaker.waiting]).toEqual([0, 0]);
  });

  test('options are checked', () => {
    expect(() => createBreaker({ queueDepth: -1, maxConcurrency: 1 })).toThrow(/queueDepth/);
    expect(() => createBreaker({ queueDepth: 1, maxConcurrency: 1, initialCapacity: 2 })).toThrow(/initialCapacity/);
    expect(() => createBreaker({ queueDepth: 1, maxConcurrency: 1 }).leave()).toThrow(/without a running request/);
  });

  test('never runs more than the capacity, loses nobody, serves in order', () => {
    const step = fc.oneof(fc.constant('enter'), fc.constant('leave'), fc.constant('cancel'), fc.nat(5));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = createBreaker({ queueDepth: 8, maxConcurrency: 5, initialCapacity: 2 });
        const waiting: { granted: () => void }[] = [];
        let running = 0;
        for (const op of steps) {
          if (op === 'enter') {
            const ticket = {
              granted: () => {
                expect(waiting.shift()).toBe(ticket);
                running++;
              },
            };
            const state = breaker.enter(ticket);
            if (state === 'running') running++;
            else if (state === 'waiting') waiting.push(ticket);
            else expect(running + waiting.length).toBe(13);
          } else if (op === 'leave' && running > 0) {
            running--;
            breaker.leave();
          } else if (op === 'cancel') {
            const ticket = waiting.pop();
            if (ticket !== undefined) expect(breaker.cancel(ticket)).toBe(true);
          } else if (typeof op === 'number') breaker.resize(op);
          expect([breaker.running, breaker.waiting]).toEqual([running, waiting.length]);
          if (running < breaker.capacity) expect(waiting).toEqual([]);
        }
      }),
    );
  });
});

test('an index set finds what a sorted list finds', () => {
  const index = fc.oneof(fc.nat(70), fc.nat(1_100), fc.nat(IndexSet.capacityMax - 1));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), index)), fc.array(index), (changes, probes) => {
      const set = new IndexSet();
      const model = new Set<number>();
      for (const [add, i] of changes) {
        if (add) {
          set.add(i);
          model.add(i);
        } else {
          set.delete(i);
          model.delete(i);
        }
      }
      const sorted = [...model].sort((a, b) => a - b);
      for (const from of [0, IndexSet.capacityMax, ...probes]) expect(set.next(from)).toBe(sorted.find((i) => i >= from) ?? -1);
    }),
  );
});

test.each(['first-available', 'round-robin', 'random-choice-of-two'] as const)(
  '%s never overfills an instance and misses no free place',
  (policy) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.oneof(fc.constant('pick'), fc.constant('release'), fc.nat(6)), { maxLength: 150 }),
        (limit, steps) => {
          const set = new InstanceSet<string>({ containerConcurrency: limit, policy, random: createRandom(5) });
          set.set([{ id: 'a', value: '' }]);
          const held: NonNullable<ReturnType<typeof set.pick>>[] = [];
          for (const op of steps) {
            if (op === 'pick') {
              const free = set.slots.some(({ inFlight }) => inFlight < limit);
              const slot = set.pick();
              expect(slot !== undefined).toBe(free);
              if (slot !== undefined) held.push(slot);
            } else if (op === 'release') {
              const slot = held.shift();
              if (slot !== undefined) set.release(slot);
            } else if (typeof op === 'number')
              set.set(Array.from({ length: op }, (_, i) => ({ id: String.fromCharCode(97 + i), value: '' })));
            for (const { inFlight } of set.slots) expect(inFlight).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  },
);

test('deadlines fire in order, start over and clear', () => {
  const clock = createVirtualClock();
  const list = new DeadlineList(clock, 100);
  const fired: string[] = [];
  const make = (name: string): Deadline => new Deadline({ expired: () => fired.push(`${name}@${clock.monotonic()}`) });
  const [a, b, c] = [make('a'), make('b'), make('c')];
  list.start(a);
  clock.advanceSync(10);
  list.start(b);
  clock.advanceSync(10);
  list.start(c);
  b.clear();
  clock.advanceSync(50);
  list.start(a);
  clock.advanceSync(500);
  expect(fired).toEqual(['c@120', 'a@170']);
});

test('statistics weigh concurrency by time', () => {
  const stats = new RequestStats(0);
  stats.arrive(0);
  stats.arrive(250, true);
  stats.leave(500);
  stats.leave(1_000, true);
  expect(stats.report(1_000)).toEqual({
    averageConcurrentRequests: 1.25,
    averageProxiedConcurrentRequests: 0.75,
    requestCount: 2,
    proxiedRequestCount: 1,
  });
  expect(stats.report(1_000).averageConcurrentRequests).toBe(0);
});

test('the Forwarded header quotes IPv6 and keeps its order', () => {
  expect(forwardedHeader('1.2.3.4, 2001:db8::1', 'https', 'h.example')).toBe(
    'for=1.2.3.4;host=h.example;proto=https, for="[2001:db8::1]"',
  );
  expect(forwardedHeader(undefined, undefined, undefined)).toBe('');
});

describe('request log', () => {
  const logged = async (template: string): Promise<string> => {
    let line = '';
    const log = createRequestLog({ template, revision: { name: 'r', namespace: 'n' }, write: (text) => (line += text) });
    const network = createMemoryNetwork();
    network.register('x', (exchange) => {
      exchange.respond(200, []);
      log.write({ exchange, status: 200, bytes: 3, latencyMs: 1_500 });
    });
    await network.client.request({ method: 'GET', url: 'http://x/a?b', rawHeaders: ['user-agent', 'u'] });
    return line;
  };

  test.each([
    ['{{.Request.Method}} {{.Request.URL.Path}} {{.Response.Latency}}', 'GET /a 1.5\n'],
    ['{{if eq .Response.Code 200}}good{{else}}bad{{end}} {{printf "%q %d" .Request.UserAgent .Response.Size}}', 'good "u" 3\n'],
    ['{{- .Request.URL | js -}}  {{len .Request.Header}}', '/a?b1\n'],
    ['{{index .Request.Header "Nope"}}|{{.Request.Header.Nope}}', '[]|<no value>\n'],
    [
      'so far {{.Request.Nope}} and no more',
      'so far Invalid request log template: method: GET, response code: 200, latency: 1.5, url: /a?b\n',
    ],
  ])('%s', async (template, expected) => {
    expect(await logged(template)).toBe(expected);
  });

  test.each(['{{.Request', '{{end}}', '{{if .TraceID}}', '{{nope .TraceID}}', '{{.A | }}'])('refuses %s', async (template) => {
    await expect(logged(template)).rejects.toMatchObject({ code: 'SERVING_LOG_TEMPLATE_INVALID' });
  });
});
