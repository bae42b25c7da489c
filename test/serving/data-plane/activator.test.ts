import { describe, expect, test } from 'vitest';
import { sleep } from '../../../src/clock.ts';
import type { Handler } from '../../../src/http/index.ts';
import { createRegistry } from '../../../src/telemetry/index.ts';
import { createWorld, instance, key, slow } from './activator-world.ts';

describe('waiting', () => {
  test('requests wait in order of arrival and go out as instances become ready', async () => {
    const starts: string[] = [];
    const { activator, get, advance } = createWorld({ onColdStart: (revision) => starts.push(revision) });
    activator.setRevision(key, { containerConcurrency: 1 });
    const order: string[] = [];
    const answers = [1, 2, 3].map((i) => get(`/${i}`));
    await advance(0);
    expect(activator.count(key)).toEqual({ waiting: 3, active: 0 });
    expect(starts).toEqual([key]);
    activator.setInstances(key, [
      instance('a', (exchange) => {
        order.push(exchange.target);
        exchange.respond(200, []);
      }),
    ]);
    await Promise.all(answers);
    expect(order).toEqual(['/1', '/2', '/3']);
  });

  test('a client that leaves gives up its place', async () => {
    const { activator, get, advance } = createWorld();
    activator.setRevision(key, {});
    const leaving = new AbortController();
    const gone = get('/', [], leaving.signal);
    const stays = get();
    await advance(0);
    leaving.abort(new Error('left'));
    await expect(gone).rejects.toThrow('left');
    expect(activator.count(key)).toEqual({ waiting: 1, active: 0 });
    activator.setInstances(key, [instance('a')]);
    expect((await stays).status).toBe(200);
  });

  test('the queue has an end, and a deleted revision lets go', async () => {
    const { activator, get, advance } = createWorld();
    activator.setRevision(key, { queueDepth: 2 });
    const waiting = [get(), get()];
    await advance(0);
    const refused = await get();
    expect([refused.status, await refused.text()]).toEqual([503, 'pending request queue full\n']);
    activator.deleteRevision(key);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([404, 404]);
  });

  test('without a budget of its own the cold start counts against the request', async () => {
    const { activator, get, advance } = createWorld();
    activator.setRevision(key, { timeouts: { requestMs: 1_000 } });
    const answer = get();
    await advance(1_000);
    const { status, text: body } = await answer;
    expect([status, await body()]).toEqual([504, 'activator request timeout']);
  });

  test('a cold-start budget stands alone and is reported when it trips', async () => {
    const tripped: number[] = [];
    const { activator, clock, get, advance } = createWorld({ onColdStartTimeout: (_, waitedMs) => tripped.push(waitedMs) });
    activator.setRevision(key, { timeouts: { requestMs: 1_000 }, coldStartTimeoutMs: 5_000 });
    const late = get();
    await advance(5_000);
    const answer = await late;
    expect([answer.status, await answer.text()]).toEqual([504, `no instance of ${key} became ready within 5000 ms\n`]);
    expect(tripped).toEqual([5_000]);
    const inTime = get();
    await advance(4_000);
    activator.setInstances(key, [instance('a', slow(clock, 900))]);
    await advance(900);
    expect((await inTime).status).toBe(200);
  });
});

describe('instances', () => {
  test('containerConcurrency holds across instances', async () => {
    const { activator, clock, get, advance } = createWorld();
    let most = 0;
    const counted = (): Handler => {
      let running = 0;
      return async (exchange) => {
        most = Math.max(most, ++running);
        await sleep(clock, 100);
        running--;
        exchange.respond(200, []);
      };
    };
    activator.setInstances(
      key,
      [1, 2, 3].map((i) => instance(`pod-${i}`, counted())),
      { containerConcurrency: 2 },
    );
    const answers = Array.from({ length: 60 }, () => get());
    await advance(100);
    expect(activator.count(key)).toEqual({ waiting: 48, active: 6 });
    await advance(900);
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(2);
  });

  test('a place is free only when the handler is done, whatever the client has seen', async () => {
    const { activator, clock, get, advance } = createWorld();
    activator.setInstances(
      key,
      [
        instance('a', async (exchange) => {
          exchange.respond(200, []);
          await sleep(clock, 1_000);
        }),
      ],
      { containerConcurrency: 1 },
    );
    expect((await get()).status).toBe(200);
    const second = get();
    await advance(500);
    expect(activator.count(key)).toEqual({ waiting: 1, active: 1 });
    await advance(600);
    expect((await second).status).toBe(200);
  });

  test('a draining instance gets nothing new and tells when it is idle; load names victims', async () => {
    const { activator, clock, get, advance } = createWorld();
    activator.setInstances(
      key,
      [instance('a', slow(clock, 100)), instance('b', slow(clock, 100)), instance('c', slow(clock, 100))],
      { containerConcurrency: 1 },
    );
    const running = get();
    await advance(0);
    expect(activator.load(key).map(({ id, inFlight }) => `${id}${inFlight}`)).toEqual(['c0', 'b0', 'a1']);
    let drained = false;
    const end = activator.drain(key, 'a').then(() => (drained = true));
    expect(activator.load(key).find(({ id }) => id === 'a')?.draining).toBe(true);
    activator.setInstances(key, [instance('b'), instance('c')]);
    await advance(50);
    expect(drained).toBe(false);
    await advance(50);
    await end;
    expect((await running).status).toBe(200);
    await activator.drain(key, 'unknown');
  });

  test('load lists busy instances by fewest requests, of equals the newest first', () => {
    const { activator } = createWorld();
    activator.setInstances(key, [instance('a'), instance('b'), instance('c'), instance('d')]);
    for (const id of ['a', 'b', 'b', 'c', 'd', 'd', 'd']) activator.hold(key, id);
    expect(activator.load(key).map(({ id, inFlight }) => `${id}${inFlight}`)).toEqual(['c1', 'a1', 'b2', 'd3']);
  });

  test('work after a response keeps the instance counted', async () => {
    const { activator, get, advance } = createWorld();
    activator.setInstances(key, [instance('a')], { containerConcurrency: 1 });
    const done = activator.hold(key, 'a');
    const answer = get();
    await advance(0);
    expect(activator.count(key).waiting).toBe(1);
    done();
    done();
    expect((await answer).status).toBe(200);
    expect(activator.load(key)[0]?.inFlight).toBe(0);
  });

  test('session affinity: the cookie leads back, and away from an instance that is gone', async () => {
    const { activator, get } = createWorld();
    const both = [instance('a'), instance('b')];
    activator.setInstances(key, both, { sessionAffinity: true, containerConcurrency: 0 });
    const first = await get();
    const home = await first.text();
    const cookie = first.header('set-cookie')?.split(';')[0] ?? '';
    expect(cookie).toBe(`K-AFFINITY=${home}`);
    for (let i = 0; i < 20; i++) {
      const again = await get('/', ['cookie', `other=1; ${cookie}`]);
      expect([await again.text(), again.header('set-cookie')]).toEqual([home, undefined]);
    }
    activator.setInstances(
      key,
      both.filter(({ id }) => id !== home),
    );
    const moved = await get('/', ['cookie', cookie]);
    expect(moved.header('set-cookie')).toContain(`K-AFFINITY=${await moved.text()}`);
  });
});

describe('limits', () => {
  test('the whole request: the handler hears of it, the client gets 504', async () => {
    const { activator, get, advance } = createWorld();
    let reason: unknown;
    activator.setInstances(
      key,
      [
        instance('a', (exchange) => {
          exchange.signal.addEventListener('abort', () => (reason = exchange.signal.reason));
        }),
      ],
      { timeouts: { requestMs: 2_000 } },
    );
    const answer = get();
    await advance(2_000);
    expect((await answer).status).toBe(504);
    expect(reason).toMatchObject({ code: 'SERVING_TIMEOUT' });
    expect(activator.count(key)).toEqual({ waiting: 0, active: 0 });
  });

  test('gRPC responses are cut, not given a text for an end', async () => {
    const { activator, get, advance } = createWorld();
    activator.setInstances(
      key,
      [
        instance('a', (exchange) => {
          exchange.writeHead(200, ['content-type', 'application/grpc']);
          exchange.write(new Uint8Array(5));
        }),
      ],
      { timeouts: { requestMs: 1_000 } },
    );
    const answer = await get('/', ['content-type', 'application/grpc+proto']);
    await advance(1_000);
    await expect(answer.bytes()).rejects.toThrow();
  });

  test('what an instance sends after a limit goes nowhere', async () => {
    const { activator, clock, get, advance } = createWorld();
    activator.setInstances(
      key,
      [
        instance('a', async (exchange) => {
          await sleep(clock, 5_000);
          exchange.writeHead(200, []);
          exchange.write(new Uint8Array(1));
          exchange.end();
        }),
      ],
      { timeouts: { requestMs: 1_000 } },
    );
    const answer = get();
    await advance(1_000);
    const { status, text: body } = await answer;
    await advance(10_000);
    expect([status, await body()]).toEqual([504, 'activator request timeout']);
  });
});

test('statistics: average concurrency, arrivals, metrics by status', async () => {
  const meter = createRegistry();
  const { activator, clock, get, advance } = createWorld({ meter });
  activator.setInstances(key, [instance('a', slow(clock, 500))], { labels: { service: 'hello', configuration: 'hello' } });
  activator.report(key);
  const answers = [get(), get()];
  await advance(1_000);
  await Promise.all(answers);
  expect(activator.report(key)).toEqual({
    averageConcurrentRequests: 1,
    averageProxiedConcurrentRequests: 0,
    requestCount: 2,
    proxiedRequestCount: 0,
  });
  await advance(1_000);
  expect(activator.report(key)?.averageConcurrentRequests).toBe(0);
  expect([...activator.reports()]).toEqual([]);
  const labels = {
    'k8s.namespace.name': 'default',
    'kn.revision.name': 'hello',
    'kn.service.name': 'hello',
    'kn.configuration.name': 'hello',
  };
  expect(meter.value('kn.serving.invocation.duration', { ...labels, 'http.response.status_code': 200 })).toBe(2);
  expect(meter.value('kn.revision.request.active', labels)).toBe(0);
  const [request, ...others] = meter.snapshot().find(({ name }) => name === 'http.server.request.duration')?.series ?? [];
  expect(others).toEqual([]);
  expect(request).toMatchObject({
    count: 2,
    attributes: {
      ...labels,
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
      'url.scheme': 'http',
    },
  });
  const sizes = meter.snapshot().find(({ name }) => name === 'http.server.response.body.size')?.series;
  expect(sizes?.map(({ count }) => count)).toEqual([2]);
});

test('a start from zero leaves its parts in a histogram', async () => {
  const meter = createRegistry();
  const { activator, clock, get, advance } = createWorld({ meter });
  activator.setRevision(key, {});
  const answer = get();
  await advance(2_000);
  activator.setInstances(key, [instance('a', slow(clock, 500))]);
  await advance(500);
  await answer;
  const phases = meter.snapshot().find(({ name }) => name === 'kn.serving.cold_start.duration')?.series;
  expect(phases?.map(({ attributes, value, count }) => [attributes['kn.cold_start.phase'], value, count])).toEqual([
    ['queue-wait', 2, 1],
    ['first-byte', 2.5, 1],
  ]);
});

test('ten thousand waiting requests are released without growing the stack', async () => {
  const { activator, get, advance } = createWorld();
  activator.setRevision(key, { containerConcurrency: 1 });
  const answers = Array.from({ length: 10_000 }, () => get());
  await advance(0);
  activator.setInstances(key, [instance('a')]);
  expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
});

test('settings are checked', () => {
  const { activator } = createWorld();
  expect(() => activator.setRevision(key, { containerConcurrency: -1 })).toThrow(/containerConcurrency must be/);
  expect(() => activator.load('default/other')).toThrow(/no revision default\/other/);
});
