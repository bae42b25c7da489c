import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AddressedInstance } from '../../../src/serving/data-plane/index.ts';
import { RevisionShares } from '../../../src/serving/data-plane/workers/revision-shares.ts';

/** Workers that do as they are told; requests in an instance that is taken back end when the test says so. */
class Workers {
  readonly living = new Set([0, 1, 2]);
  /** Room of each worker in each instance: what it may use, and what is still in use after it was taken back. */
  readonly rooms = new Map<number, Map<string, number>>();
  readonly ending: { worker: number; instance: string; room: number; resolve: () => void }[] = [];
  readonly through = new Map<number, string>();
  readonly shares = new RevisionShares({
    living: () => [...this.living].sort(),
    give: (worker, { instances, containerConcurrency, through }) => {
      this.rooms.set(worker, new Map(instances.map(({ id }) => [id, containerConcurrency])));
      if (through === undefined) this.through.delete(worker);
      else this.through.set(worker, through);
      return Promise.resolve();
    },
    release: (worker, instance) =>
      new Promise((resolve) => {
        const room = this.rooms.get(worker)?.get(instance) ?? 0;
        this.rooms.get(worker)?.delete(instance);
        this.ending.push({ worker, instance, room, resolve });
      }),
    addressOf: (worker) => `worker ${worker}`,
  });

  /** Requests that may be in the instance at most. */
  most(instance: string): number {
    const given = [...this.rooms.values()].reduce((sum, rooms) => sum + (rooms.get(instance) ?? 0), 0);
    return this.ending.reduce((sum, left) => sum + (left.instance === instance ? left.room : 0), given);
  }

  kill(worker: number): void {
    this.living.delete(worker);
    this.rooms.delete(worker);
    this.through.delete(worker);
    for (const left of this.ending.filter((item) => item.worker === worker)) this.end(left);
    this.shares.lost(worker);
  }

  end(left: Workers['ending'][number] | undefined): void {
    if (left === undefined) return;
    this.ending.splice(this.ending.indexOf(left), 1);
    left.resolve();
  }
}

const instances = (count: number): AddressedInstance[] =>
  Array.from({ length: count }, (_, i) => ({ id: `pod-${i}`, target: { address: `127.0.0.1:${i + 1}` } }));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const step = fc.oneof(
  fc.record({ set: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kill: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ join: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ end: fc.nat() }),
);

test('whatever comes and goes, no instance has more requests than its limit, and in the end all of it is used', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (steps, containerConcurrency, sessionAffinity) => {
        const workers = new Workers();
        let count = 0;
        const check = (): void => {
          for (const { id } of instances(6)) expect(workers.most(id)).toBeLessThanOrEqual(containerConcurrency);
        };
        for (const item of steps) {
          if ('set' in item) void workers.shares.set(instances((count = item.set)), { containerConcurrency, sessionAffinity });
          else if ('kill' in item && workers.living.has(item.kill)) workers.kill(item.kill);
          else if ('join' in item && !workers.living.has(item.join)) {
            workers.living.add(item.join);
            workers.shares.joined();
          } else if ('end' in item) workers.end(workers.ending[item.end % Math.max(1, workers.ending.length)]);
          check();
          await turn();
          check();
        }
        while (workers.ending.length > 0) {
          workers.end(workers.ending[0]);
          await turn();
          check();
        }
        if (workers.living.size === 0) return;
        for (const { id } of instances(count)) expect(workers.most(id)).toBe(containerConcurrency);
        for (const worker of workers.living) {
          // Whoever has nothing passes on to somebody who runs and has something.
          if (count === 0 || (workers.rooms.get(worker)?.size ?? 0) > 0) continue;
          const next = Number(workers.through.get(worker)?.replace('worker ', ''));
          expect(workers.rooms.get(next)?.size).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: 300 },
  );
});
