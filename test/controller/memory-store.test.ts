import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import { createMemoryStore } from '../../src/controller/memory-store.ts';
import type { WatchEvent } from '../../src/controller/resource-store.ts';
import { createRandom } from '../../src/random.ts';
import { child, children, parent, parents } from './kinds.ts';

const makeStore = (historyMax?: number) =>
  createMemoryStore({
    kinds: [parents, children],
    clock: createVirtualClock(),
    random: createRandom(1),
    ...(historyMax === undefined ? {} : { historyMax }),
  });

describe('writes', () => {
  test('create sets uid, version, generation and time; status is left to the subresource', async () => {
    const store = makeStore();
    const stored = await store.create(parents, { ...parent('a'), status: { ready: 9 } });
    expect(stored.metadata).toMatchObject({ resourceVersion: '1', generation: 1, creationTimestamp: '2023-11-14T22:13:20Z' });
    expect(stored.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(stored.status).toBeUndefined();
    await expect(store.create(parents, parent('a'))).rejects.toMatchObject({ code: 'CONTROLLER_ALREADY_EXISTS', status: 409 });
  });

  test('generateName makes a fresh name', async () => {
    const store = makeStore();
    const { metadata } = await store.create(parents, parent('', 1, { generateName: 'job-' }));
    expect(metadata.name).toMatch(/^job-[a-z0-9]{5}$/);
    await expect(store.create(parents, parent(''))).rejects.toMatchObject({ code: 'API_INVALID', path: 'metadata.name' });
  });

  test('generation counts spec changes only; equal writes keep the version; stale ones are refused', async () => {
    const store = makeStore();
    const first = await store.create(parents, parent('a'));
    const labelled = await store.patch(parents, 'default', 'a', { metadata: { labels: { x: '1' } } });
    expect(labelled.metadata.generation).toBe(1);
    const changed = await store.update(parents, { ...labelled, spec: { children: 2 } });
    expect(changed.metadata.generation).toBe(2);
    expect(await store.update(parents, changed)).toBe(changed);
    await expect(store.update(parents, { ...first, spec: { children: 3 } })).rejects.toMatchObject({
      code: 'CONTROLLER_CONFLICT',
      message:
        'Operation cannot be fulfilled on parents.test.example.com "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    const withStatus = await store.updateStatus(parents, { ...changed, status: { ready: 1 }, spec: { children: 77 } });
    expect(withStatus).toMatchObject({ spec: { children: 2 }, status: { ready: 1 }, metadata: { generation: 2 } });
    expect((await store.update(parents, { ...withStatus, spec: { children: 5 }, status: { ready: 8 } })).status).toEqual({
      ready: 1,
    });
  });

  test('what comes out cannot be changed', async () => {
    const store = makeStore();
    const stored = await store.create(parents, parent('a'));
    expect(() => {
      stored.spec.children = 7;
    }).toThrow(TypeError);
  });

  test('admission sees the old object, its answer is stored, its refusal leaves everything as it was', async () => {
    const seen: string[] = [];
    const store = createMemoryStore({
      kinds: [parents],
      admission: ({ resource, operation, old, user }) => {
        seen.push(`${operation} ${old?.metadata.resourceVersion ?? '-'} ${user}`);
        if ((resource as { spec: { children: number } }).spec.children < 0) throw new Error('negative');
        return { ...resource, metadata: { ...resource.metadata, annotations: { admitted: 'yes' } } };
      },
    });
    await store.create(parents, parent('a'), { user: 'me' });
    await expect(store.patch(parents, 'default', 'a', { spec: { children: -1 } })).rejects.toThrow('negative');
    expect(store.view.get(parents, 'default', 'a')).toMatchObject({
      spec: { children: 1 },
      metadata: { annotations: { admitted: 'yes' }, resourceVersion: '1' },
    });
    expect(seen).toEqual(['create - me', 'update 1 system']);
  });
});

describe('deletion', () => {
  test('children go with their last owner', async () => {
    const store = makeStore();
    const a = await store.create(parents, parent('a'));
    const b = await store.create(parents, parent('b'));
    await store.create(children, child('only', 0, a));
    const shared = child('shared', 1, a);
    shared.metadata.ownerReferences?.push({ apiVersion: b.apiVersion, kind: b.kind, name: 'b', uid: b.metadata.uid ?? '' });
    await store.create(children, shared);
    await store.delete(parents, 'default', 'a');
    expect(store.view.list(children).map(({ metadata }) => metadata.name)).toEqual(['shared']);
    await store.delete(parents, 'default', 'b');
    expect(store.view.list(children)).toEqual([]);
  });

  test('finalizers hold the object; foreground waits for blocking children; orphan leaves them', async () => {
    const store = makeStore();
    const a = await store.create(parents, parent('a'));
    await store.create(children, child('held', 0, a, { finalizers: ['test/hold'] }));
    await store.delete(parents, 'default', 'a', { propagationPolicy: 'Foreground' });
    expect(store.view.get(parents, 'default', 'a')?.metadata).toMatchObject({
      finalizers: ['foregroundDeletion'],
      deletionTimestamp: '2023-11-14T22:13:20Z',
    });
    await store.patch(children, 'default', 'held', { metadata: { finalizers: null } });
    expect(store.view.get(children, 'default', 'held')).toBeUndefined();
    expect(store.view.get(parents, 'default', 'a')).toBeUndefined();

    const b = await store.create(parents, parent('b'));
    await store.create(children, child('kept', 0, b));
    await store.delete(parents, 'default', 'b', { propagationPolicy: 'Orphan' });
    expect(store.view.get(children, 'default', 'kept')?.metadata.ownerReferences).toEqual([]);
  });

  test('preconditions', async () => {
    const store = makeStore();
    await store.create(parents, parent('a'));
    await expect(store.delete(parents, 'default', 'a', { uid: 'other' })).rejects.toMatchObject({ code: 'CONTROLLER_CONFLICT' });
    await expect(store.delete(parents, 'default', 'zz')).rejects.toMatchObject({ code: 'CONTROLLER_NOT_FOUND', status: 404 });
  });
});

describe('reads', () => {
  test('lists by namespace, label and owner answer as a scan does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
            namespace: fc.constantFrom('x', 'y'),
            label: fc.constantFrom('1', '2', undefined),
            action: fc.constantFrom('write', 'write', 'delete'),
          }),
          { maxLength: 40 },
        ),
        async (steps) => {
          const store = makeStore();
          const model = new Map<string, string | undefined>();
          for (const { name, namespace, label, action } of steps) {
            const key = `${namespace}/${name}`;
            const draft = child(name, 0, undefined, { namespace, labels: label === undefined ? {} : { l: label } });
            if (action === 'delete') {
              if (model.delete(key)) await store.delete(children, namespace, name);
            } else if (model.has(key)) await store.update(children, draft);
            else await store.create(children, draft);
            if (action === 'write') model.set(key, label);
          }
          const keys = (namespace: string | undefined, label: string | undefined): string[] =>
            [...model]
              .filter(
                ([key, value]) =>
                  (namespace === undefined || key.startsWith(`${namespace}/`)) && (label === undefined || value === label),
              )
              .map(([key]) => key)
              .sort();
          for (const namespace of [undefined, 'x', 'y']) {
            for (const label of [undefined, '1', '2']) {
              const found = store.view.list(children, {
                ...(namespace === undefined ? {} : { namespace }),
                ...(label === undefined ? {} : { labels: { l: label } }),
              });
              expect(found.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)).toEqual(keys(namespace, label));
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a watch continues from a version without gap, or says that it cannot', async () => {
    const store = makeStore(3);
    const live: string[] = [];
    const note = (into: string[]) => (event: WatchEvent) =>
      into.push(`${event.type} ${event.resource.metadata.name} ${event.resourceVersion}`);
    const all = store.watch({}, note(live));
    await store.create(parents, parent('a'));
    await store.create(children, child('c', 0));
    await store.delete(parents, 'default', 'a');
    expect(live).toEqual(['ADDED a 1', 'ADDED c 2', 'DELETED a 3']);
    const resumed: string[] = [];
    store.watch({ fromVersion: 1, kind: parents }, note(resumed));
    expect(resumed).toEqual(['DELETED a 3']);
    all[Symbol.dispose]();
    for (let i = 0; i < 20; i++) await store.create(parents, parent(`p${i}`));
    expect(live).toHaveLength(3);
    expect(() => store.watch({ fromVersion: 2 }, () => undefined)).toThrow(
      expect.objectContaining({ code: 'CONTROLLER_WATCH_EXPIRED', status: 410 }),
    );
  });
});
