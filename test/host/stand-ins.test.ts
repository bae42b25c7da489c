import { describe, expect, test } from 'vitest';
import { deployments, type Deployment } from '../../src/api/apps/deployment.ts';
import { coreServices } from '../../src/api/core/core-service.ts';
import { endpoints } from '../../src/api/core/endpoints.ts';
import { pods, type Pod } from '../../src/api/core/pod.ts';
import { createVirtualClock } from '../../src/clock.ts';
import { createController } from '../../src/controller/controller.ts';
import { FactRegistry } from '../../src/controller/facts.ts';
import { createMemoryStore } from '../../src/controller/memory-store.ts';
import { createRandom } from '../../src/random.ts';
import { deploymentReconciler } from '../../src/host/stand-ins/deployment.ts';
import { endpointsReconciler } from '../../src/host/stand-ins/endpoints.ts';
import { podLoadProvider, type PodLoad } from '../../src/host/stand-ins/pod-load.ts';
import { addressAnnotation } from '../../src/host/stand-ins/pod-state.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
};

function world() {
  const clock = createVirtualClock();
  const store = createMemoryStore({ kinds: [deployments, pods, coreServices, endpoints], clock, random: createRandom(3) });
  const load = new Map<string, number>();
  const facts = new FactRegistry();
  facts.provide<PodLoad, undefined>(podLoadProvider, () => ({ read: () => load }));
  const controller = createController({
    store,
    facts,
    view: store.view,
    reconcilers: [deploymentReconciler, endpointsReconciler],
    clock,
  });
  controller.start();
  const list = (): readonly Pod[] => store.view.list(pods);
  const living = (): readonly Pod[] => list().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return {
    clock,
    store,
    load,
    living,
    async makeReady(pod: Pod, port = 1234): Promise<void> {
      await store.patch(pods, 'default', pod.metadata.name, {
        metadata: { annotations: { [addressAnnotation]: `127.0.0.1:${port}` } },
      });
      await store.patch(
        pods,
        'default',
        pod.metadata.name,
        { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
        { subresource: 'status' },
      );
      await settle();
    },
    /** What the pod runner does once an instance has stopped. */
    async finishDeleted(): Promise<void> {
      for (const pod of list()) {
        if (pod.metadata.deletionTimestamp !== undefined)
          await store.patch(pods, 'default', pod.metadata.name, { metadata: { finalizers: null } });
      }
      await settle();
    },
  };
}

const deployment = (replicas: number, image = 'example.com/a'): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'app' } },
    progressDeadlineSeconds: 60,
    template: { metadata: { labels: { app: 'app' } }, spec: { containers: [{ name: 'c', image }] } },
  },
});

describe('deployments', () => {
  test('make as many pods as asked for and remove the newest first', async () => {
    const { store, living, makeReady, finishDeleted, clock } = world();
    await store.create(deployments, deployment(2));
    await settle();
    expect(living().map(({ metadata }) => metadata.name)).toHaveLength(2);
    for (const pod of living()) await makeReady(pod);
    const first = living().map(({ metadata }) => metadata.name);
    expect(store.view.get(deployments, 'default', 'app')?.status).toMatchObject({
      replicas: 2,
      readyReplicas: 2,
      observedGeneration: 1,
    });
    clock.advanceSync(5_000);
    await store.patch(deployments, 'default', 'app', { spec: { replicas: 3 } });
    await settle();
    for (const pod of living()) await makeReady(pod);
    await store.patch(deployments, 'default', 'app', { spec: { replicas: 2 } });
    await settle();
    expect(living().map(({ metadata }) => metadata.name)).toEqual(first);
    await finishDeleted();
    await store.patch(deployments, 'default', 'app', { spec: { replicas: 0 } });
    await settle();
    expect(living()).toEqual([]);
  });

  test('remove idle pods before busy ones, and the cheapest before all', async () => {
    const { store, living, load, makeReady } = world();
    await store.create(deployments, deployment(4));
    await settle();
    for (const pod of living()) await makeReady(pod);
    const names = living().map(({ metadata }) => metadata.name);
    const [first = '', second = '', third = '', fourth = ''] = names;
    for (const name of [first, third, fourth]) load.set(name, 1);
    await store.patch(deployments, 'default', 'app', { spec: { replicas: 3 } });
    await settle();
    expect(names.filter((name) => !living().some(({ metadata }) => metadata.name === name))).toEqual([second]);
    await store.patch(pods, 'default', first, {
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } },
    });
    await store.patch(deployments, 'default', 'app', { spec: { replicas: 2 } });
    await settle();
    expect(names.filter((name) => !living().some(({ metadata }) => metadata.name === name)).sort()).toEqual(
      [first, second].sort(),
    );
  });

  test('remove busy pods by fewest requests, of equals the newest', async () => {
    const { clock, store, living, load, makeReady } = world();
    const names: string[] = [];
    for (const replicas of [1, 2, 3, 4]) {
      if (replicas === 1) await store.create(deployments, deployment(1));
      else await store.patch(deployments, 'default', 'app', { spec: { replicas } });
      await settle();
      for (const pod of living()) {
        if (names.includes(pod.metadata.name)) continue;
        names.push(pod.metadata.name);
        await makeReady(pod);
      }
      clock.advanceSync(5_000);
    }
    names.forEach((name, index) => load.set(name, [1, 2, 2, 5][index] ?? 0));
    const gone: string[] = [];
    for (const replicas of [3, 2, 1]) {
      await store.patch(deployments, 'default', 'app', { spec: { replicas } });
      await settle();
      gone.push(...names.filter((name) => !gone.includes(name) && !living().some(({ metadata }) => metadata.name === name)));
    }
    expect(gone.map((name) => names.indexOf(name))).toEqual([0, 2, 1]);
  });

  test('a new template is rolled out without a gap', async () => {
    const { store, living, makeReady, finishDeleted } = world();
    await store.create(deployments, deployment(1));
    await settle();
    for (const pod of living()) await makeReady(pod);
    const [before] = living();
    await store.update(deployments, { ...deployment(1, 'example.com/b') });
    await settle();
    expect(living()).toHaveLength(2);
    for (const pod of living()) if (pod.metadata.name !== before?.metadata.name) await makeReady(pod);
    await finishDeleted();
    expect(living().map(({ spec }) => spec.containers?.[0]?.image)).toEqual(['example.com/b']);
  });

  test('say when they make no progress in time, and recover', async () => {
    const { store, living, makeReady, clock } = world();
    await store.create(deployments, deployment(1));
    await settle();
    const progressing = (): unknown =>
      store.view.get(deployments, 'default', 'app')?.status?.conditions?.find(({ type }) => type === 'Progressing');
    expect(progressing()).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
    clock.runNext(clock.now() + 60_000);
    await settle();
    expect(progressing()).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    for (const pod of living()) await makeReady(pod);
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });
});

test('endpoints follow the pods that a core Service selects', async () => {
  const { store, living, makeReady } = world();
  await store.create(coreServices, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'app', namespace: 'default' },
    spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  });
  await store.create(deployments, deployment(2));
  await settle();
  const [first] = living();
  if (first !== undefined) await makeReady(first, 4567);
  const subsets = store.view.get(endpoints, 'default', 'app')?.subsets;
  expect(
    subsets?.map(({ addresses, notReadyAddresses, ports }) => [addresses?.length ?? 0, notReadyAddresses?.length ?? 0, ports]),
  ).toEqual([
    [1, 0, [{ name: 'http', port: 4567, protocol: 'TCP' }]],
    [0, 1, [{ name: 'http', port: 8080, protocol: 'TCP' }]],
  ]);
});
