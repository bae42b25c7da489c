import { expect, test } from 'vitest';
import { createVirtualClock, type VirtualClock } from '../../../src/clock.ts';
import { defineFunction } from '../../../src/functions/define-function.ts';
import { createImageMap, type Images } from '../../../src/host/runtimes/image-map.ts';
import { createRuntime } from '../../../src/host/runtimes/create-runtime.ts';
import type { Instance, Runtime } from '../../../src/host/runtimes/runtime.ts';
import { createMemoryNetwork } from '../../../src/http/memory-network.ts';
import { isReady, logText, podSpec, until } from './harness.ts';

function startVirtual(images: Images, clock: VirtualClock): Promise<Runtime> {
  return createRuntime({ images: createImageMap(images, { baseDir: '/' }), clock });
}

async function request(instance: Instance, path = '/'): Promise<string> {
  const { client } = createMemoryNetwork({ fallback: (exchange) => instance.handler?.(exchange) });
  return (await client.request({ method: 'GET', url: `http://hello${path}` })).text();
}

/** Lets the timers of `durationMs` run one by one, with time for the work between them. */
async function advance(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.now() + durationMs;
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await settle();
  while (clock.runNext(untilMs)) await settle();
  clock.advanceSync(untilMs - clock.now());
}

test('a function value runs in process with its own environment, without sockets', async () => {
  const fn = defineFunction((context) => {
    context.log.info('called');
    return { revision: context.env['K_REVISION'] };
  });
  const clock = createVirtualClock();
  const runtime = await startVirtual({ 'example.com/*': fn }, clock);
  const instance = runtime.start(podSpec({ env: { K_REVISION: 'hello-00001' } }));
  await until(instance, ({ phase }) => phase === 'Running');
  await advance(clock, 1);
  expect(instance.status.ready).toBe(true);
  expect(JSON.parse(await request(instance))).toEqual({ revision: 'hello-00001' });
  expect(JSON.parse(await logText(instance))).toMatchObject({ msg: 'called' });
  await instance.stop();
  expect(instance.status).toMatchObject({ phase: 'Succeeded', ready: false });
  await runtime.close();
});

test('an init hook that fails backs off 0, 10, 20, 40 … 300 s, as a kubelet does', async () => {
  const clock = createVirtualClock();
  const startsMs: number[] = [];
  const fn = defineFunction(() => 'ok', {
    init: () => {
      startsMs.push(clock.now());
      throw new Error('no database');
    },
  });
  const runtime = await startVirtual({ 'example.com/hello': fn }, clock);
  const instance = runtime.start(podSpec({}));
  await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  await advance(clock, 1_300_000);
  const waitsMs = startsMs.slice(1).map((at, index) => at - (startsMs[index] ?? 0));
  expect(waitsMs).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  expect(instance.status.containers[0]).toMatchObject({
    state: { kind: 'waiting', reason: 'CrashLoopBackOff' },
    lastTerminated: { exitCode: 1, message: 'no database' },
  });
  await runtime.close();
});

test('readiness and liveness probes run on virtual time; a failing liveness restarts', async () => {
  let healthy = true;
  let inits = 0;
  const fn = defineFunction(() => 'ok', {
    init: () => {
      inits++;
      healthy = true;
    },
    liveness: (_context, reply) => void reply.code(healthy ? 200 : 500),
  });
  const clock = createVirtualClock();
  const runtime = await startVirtual({ 'example.com/hello': fn }, clock);
  const probe = { httpGet: { path: '/health/liveness' }, periodSeconds: 0.5, failureThreshold: 2 };
  const instance = runtime.start(podSpec({ readinessProbe: probe, livenessProbe: { ...probe, periodSeconds: 5 } }));
  await until(instance, ({ phase }) => phase === 'Running');
  await advance(clock, 10);
  expect(instance.status.ready).toBe(true);
  healthy = false;
  await advance(clock, 1_100);
  expect(instance.status).toMatchObject({ ready: false, containers: [{ restartCount: 0 }] });
  await advance(clock, 10_000);
  await until(instance, isReady);
  expect(instance.status.containers[0]).toMatchObject({ restartCount: 1, ready: true });
  expect(instance.status.containers[0]?.lastTerminated?.message).toContain('failed liveness probe');
  expect(inits).toBe(2);
  await runtime.close();
});

test('a container that fails its liveness has the grace of the probe, else of the instance', async () => {
  const never = (): Promise<void> => new Promise(() => undefined);
  const clock = createVirtualClock();
  const sick = defineFunction(() => 'ok', { shutdown: never, liveness: (_context, reply) => void reply.code(500) });
  const runtime = await startVirtual({ sick }, clock);
  const livenessProbe = { httpGet: { path: '/health/liveness' }, periodSeconds: 10, failureThreshold: 1 };
  const start = (probe: object): Instance =>
    runtime.start(podSpec({ image: 'sick', livenessProbe: { ...livenessProbe, ...probe } }, { terminationGraceMs: 30_000 }));
  const instances = [start({ terminationGracePeriodSeconds: 2 }), start({})];
  for (const instance of instances) await until(instance, isReady);
  const restarts = (): (number | undefined)[] => instances.map(({ status }) => status.containers[0]?.restartCount);
  await advance(clock, 9_900);
  expect(instances.map(({ status }) => status.ready)).toEqual([true, true]);
  await advance(clock, 4_000);
  expect(restarts()).toEqual([1, 0]);
  expect(instances[1]?.status.ready).toBe(false);
  await advance(clock, 27_000);
  expect(restarts()[1]).toBe(1);
  await Promise.all(instances.map((instance) => instance.stop(0)));
  await runtime.close();
});

test('stopping ends what never ends: an init hook, a shutdown hook, a back-off, an image without a program', async () => {
  const clock = createVirtualClock();
  const never = (): Promise<void> => new Promise(() => undefined);
  const runtime = await startVirtual(
    {
      init: defineFunction(() => 'ok', { init: never }),
      shutdown: defineFunction(() => 'ok', { shutdown: never }),
      broken: defineFunction(() => 'ok', { init: () => Promise.reject(new Error('no')) }),
    },
    clock,
  );
  const instances = ['init', 'shutdown', 'broken', 'unmapped'].map((image) => runtime.start(podSpec({ image })));
  await advance(clock, 1_000);
  const reasons = instances.map(({ status: { containers } }) => {
    const state = containers[0]?.state;
    return state?.kind === 'waiting' ? state.reason : state?.kind;
  });
  expect(reasons).toEqual(['ContainerCreating', 'running', 'CrashLoopBackOff', 'ImagePullBackOff']);
  const changes: string[] = [];
  const listening = instances[1]?.onChange(() => changes.push('changed'));
  const stopped = Promise.all(instances.map((instance) => instance.stop(5_000)));
  listening?.[Symbol.dispose]();
  await advance(clock, 5_000);
  await stopped;
  expect(changes).toEqual(['changed']);
  expect(instances.map(({ status }) => [status.phase, status.containers[0]?.state.kind])).toEqual([
    ['Failed', 'terminated'],
    ['Failed', 'terminated'],
    ['Failed', 'terminated'],
    ['Succeeded', 'terminated'],
  ]);
  await runtime.close();
  expect(() => runtime.start(podSpec({}))).toThrow(expect.objectContaining({ code: 'HOST_RUNTIME_CLOSED' }));
});

test('a second call of stop shortens the grace, and an id is used once', async () => {
  const clock = createVirtualClock();
  const runtime = await startVirtual({ a: defineFunction(() => 'ok', { shutdown: () => new Promise(() => undefined) }) }, clock);
  const spec = podSpec({ image: 'a' });
  const instance = runtime.start(spec);
  expect(() => runtime.start(spec)).toThrow(expect.objectContaining({ code: 'HOST_INSTANCE_EXISTS' }));
  expect(() => runtime.start({ ...spec, id: '../up' })).toThrow(expect.objectContaining({ code: 'HOST_INSTANCE_ID_INVALID' }));
  await until(instance, isReady);
  const first = instance.stop(60_000);
  await advance(clock, 1_000);
  const second = instance.stop(0);
  await Promise.all([first, second]);
  expect(instance.status.phase).toBe('Failed');
  await runtime.close();
});
