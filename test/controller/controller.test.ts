import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan, Reader, Reconciler } from '../../src/api/reconciler.ts';
import { createVirtualClock } from '../../src/clock.ts';
import { createController } from '../../src/controller/controller.ts';
import { FactRegistry } from '../../src/controller/facts.ts';
import { createMemoryStore } from '../../src/controller/memory-store.ts';
import { createRandom } from '../../src/random.ts';
import { child, children, parent, parents, type Parent } from './kinds.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Keeps `spec.children` children and counts those that are up. */
const parentReconciler: Reconciler<Parent> = {
  name: 'parent',
  kind: parents,
  reconcile(resource: Parent, world: Reader): Plan {
    const owned = world.list(children, { ownerUid: resource.metadata.uid ?? '' });
    const writes: Plan['writes'][number][] = [];
    for (let index = 0; index < resource.spec.children; index++) {
      const name = `${resource.metadata.name}-${index}`;
      if (!owned.some(({ metadata }) => metadata.name === name))
        writes.push({ op: 'create', kind: children, resource: child(name, index, resource) });
    }
    for (const extra of owned.filter(({ spec }) => spec.index >= resource.spec.children)) {
      writes.push({ op: 'delete', kind: children, namespace: 'default', name: extra.metadata.name });
    }
    return { writes, status: { ready: owned.filter(({ status }) => status?.up === true).length } };
  },
};

function world(reconcilers: readonly Reconciler[], facts = new FactRegistry()) {
  const clock = createVirtualClock();
  const store = createMemoryStore({ kinds: [parents, children], clock, random: createRandom(7) });
  const controller = createController({ store, view: store.view, reconcilers, clock, facts, config: () => ({}) });
  return { clock, store, controller };
}

describe('the controller', () => {
  test('brings the store to the wanted state and stops there', async () => {
    const { store, controller } = world([parentReconciler]);
    await store.create(parents, parent('before', 2));
    controller.start();
    await store.create(parents, parent('after', 1));
    await settle();
    expect(store.view.list(children).map(({ metadata }) => metadata.name)).toEqual(['after-0', 'before-0', 'before-1']);
    const version = store.resourceVersion;
    await settle();
    expect(store.resourceVersion).toBe(version);
    expect(controller.pending).toBe(0);
    await store.patch(children, 'default', 'before-1', { status: { up: true } }, { subresource: 'status' });
    await settle();
    expect(store.view.get(parents, 'default', 'before')?.status).toEqual({ ready: 1 });
    await store.delete(children, 'default', 'before-0');
    await settle();
    expect(store.view.get(children, 'default', 'before-0')).toBeDefined();
    await controller.close();
  });

  test('any order of changes ends in the same state', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { minLength: 1, maxLength: 15 }),
        fc.boolean(),
        async (changes, pause) => {
          const { store, controller } = world([parentReconciler]);
          controller.start();
          const wanted = new Map<string, number>();
          for (const [index, count] of changes) {
            const name = `p${index}`;
            if (wanted.has(name)) await store.patch(parents, 'default', name, { spec: { children: count } });
            else await store.create(parents, parent(name, count));
            wanted.set(name, count);
            if (pause) await settle();
          }
          await settle();
          const expected = [...wanted].flatMap(([name, count]) => Array.from({ length: count }, (_, i) => `${name}-${i}`)).sort();
          expect(store.view.list(children).map(({ metadata }) => metadata.name)).toEqual(expected);
          await controller.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  test('facts and configuration wake who read them, and are forgotten with the object', async () => {
    const facts = new FactRegistry();
    const forgotten: string[] = [];
    let temperature = 1;
    let changed: (key: string) => void = () => undefined;
    facts.provide<number, undefined>('thermometer', (notify) => {
      changed = notify;
      return { read: () => temperature, forget: (key) => void forgotten.push(key) };
    });
    const { store, controller } = world(
      [
        {
          name: 'thermal',
          kind: parents,
          reconcile: (resource, reader) => ({
            writes: [],
            status: { ready: reader.fact<number>({ provider: 'thermometer', key: resource.metadata.name }) ?? -1 },
          }),
        },
      ],
      facts,
    );
    controller.start();
    await store.create(parents, parent('a'));
    await settle();
    temperature = 30;
    await settle();
    expect(store.view.get(parents, 'default', 'a')?.status).toEqual({ ready: 1 });
    changed('a');
    await settle();
    expect(store.view.get(parents, 'default', 'a')?.status).toEqual({ ready: 30 });
    await store.delete(parents, 'default', 'a');
    await settle();
    expect(forgotten).toEqual(['a']);
    await controller.close();
  });

  test('failures wait longer each time, a wanted time wakes the key', async () => {
    const attemptsMs: number[] = [];
    const { store, controller, clock } = world([
      {
        name: 'failing',
        kind: parents,
        reconcile: (_resource, _world, nowMs) => {
          attemptsMs.push(nowMs - 1_700_000_000_000);
          return attemptsMs.length < 4 ? { writes: [], error: 'not yet' } : { writes: [], requeueAfterMs: 60_000 };
        },
      },
    ]);
    controller.start();
    await store.create(parents, parent('a'));
    for (let i = 0; i < 5; i++) {
      await settle();
      clock.runNext(Number.POSITIVE_INFINITY);
    }
    await settle();
    expect(attemptsMs).toEqual([0, 5, 15, 35, 60_035, 120_035]);
    await controller.close();
  });

  test('finalizers are put on, run once and taken off', async () => {
    const log: string[] = [];
    const { store, controller } = world([
      {
        name: 'finalizing',
        kind: parents,
        finalizer: 'test/cleanup',
        reconcile: () => ({ writes: [] }),
        finalize: (resource) => {
          log.push(`cleanup ${resource.metadata.name}`);
          return { writes: [] };
        },
      },
    ]);
    controller.start();
    await store.create(parents, parent('a'));
    await settle();
    expect(store.view.get(parents, 'default', 'a')?.metadata.finalizers).toEqual(['test/cleanup']);
    await store.delete(parents, 'default', 'a');
    await settle();
    expect(store.view.get(parents, 'default', 'a')).toBeUndefined();
    expect(log).toEqual(['cleanup a']);
    await controller.close();
  });
});
