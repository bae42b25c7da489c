import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/clock.ts';
import { createSharedActivator, type DataPlaneWorkers, type InstanceLoad } from '../../../src/serving/data-plane/index.ts';
import type { RequestReport } from '../../../src/serving/request-stats.ts';

const key = 'default/hello-00001';
const report = (averageConcurrentRequests: number, requestCount: number): RequestReport => ({
  averageConcurrentRequests,
  averageProxiedConcurrentRequests: 0,
  requestCount,
  proxiedRequestCount: 0,
});

/** An owner's activator over workers that note what they are told. */
function world(loads: readonly InstanceLoad[] = []) {
  const told: string[] = [];
  const workers = {
    setInstances: (_: string, instances: readonly { id: string }[], settings: object) => {
      told.push(`instances ${instances.map(({ id }) => id).join(',')} ${JSON.stringify(settings)}`);
      return Promise.resolve();
    },
    setOwner: (_: string, address: string) => {
      told.push(`owner ${address}`);
      return Promise.resolve();
    },
    deleteRevision: () => void told.push('deleted'),
    drain: (_: string, instance: string) => {
      told.push(`drain ${instance}`);
      return Promise.resolve();
    },
    addresses: () => [],
    load: () => loads,
    reports: () => Promise.resolve(new Map([[key, report(2, 5)]])),
    close: () => Promise.resolve(),
  } as unknown as DataPlaneWorkers;
  const activator = createSharedActivator({
    activator: { clock: createVirtualClock() },
    workers,
    ownerAddress: '127.0.0.1:1',
  });
  return { activator, told };
}

const addressed = { id: 'pod-1', target: { address: '127.0.0.1:9' } };

test('who has the instances: workers those with an address, the owner those of its process', async () => {
  const { activator, told } = world([{ id: 'pod-1', inFlight: 3, draining: false }]);
  activator.setInstances(key, [addressed], { containerConcurrency: 1 });
  await new Promise(setImmediate);
  // The owner has nothing but the workers, whose limits are theirs: what is in the instance they alone know.
  expect(activator.local.load(key).map(({ id }) => id)).toEqual(['data-plane-workers']);
  expect(activator.load(key)).toEqual([{ id: 'pod-1', inFlight: 3, draining: false }]);
  activator.setInstances(key, [{ id: 'pod-2', target: { handler: () => undefined } }]);
  expect(activator.load(key)).toEqual([{ id: 'pod-2', inFlight: 0, draining: false }]);
  activator.setInstances(key, []);
  activator.deleteRevision(key);
  expect(activator.has(key)).toBe(false);
  const limited = '{"containerConcurrency":1}';
  expect(told).toEqual([`instances pod-1 ${limited}`, 'owner 127.0.0.1:1', `instances  ${limited}`, 'deleted']);
  await activator.close();
});

test('the news of an older change does not overtake a newer one', async () => {
  const { activator } = world();
  activator.setInstances(key, [addressed]);
  activator.setInstances(key, []);
  await new Promise(setImmediate);
  expect(activator.local.load(key)).toEqual([]);
  await activator.close();
});

test('a drain waits for work that goes on after a response, in the workers as here', async () => {
  const { activator, told } = world();
  activator.setInstances(key, [addressed]);
  await new Promise(setImmediate);
  const releases = [activator.hold(key, 'pod-1'), activator.hold(key, 'pod-1')];
  let drained = false;
  const drain = activator.drain(key, 'pod-1').then(() => (drained = true));
  releases[0]?.();
  // Once is enough.
  releases[0]?.();
  await new Promise(setImmediate);
  expect(drained).toBe(false);
  releases[1]?.();
  await drain;
  expect(told).toContain('drain pod-1');
  await activator.close();
});

test('what the workers have counted is in the next report, once', async () => {
  const { activator } = world();
  activator.setInstances(key, [addressed]);
  await activator.collect();
  expect(activator.report(key)).toEqual(report(2, 5));
  expect(activator.report(key)).toEqual(report(0, 0));
  await activator.close();
});
