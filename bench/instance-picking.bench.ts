// Picking an instance and giving it back, for 1 to 1,000 instances, idle and with all but one busy. Goal: flat. Upstream in Go,
// recorded: 125 to 198 ns idle, 10,500 ns with 999 of 1,000 busy.
import { createRandom } from '../src/random.ts';
import { InstanceSet, type PickingPolicy } from '../src/serving/data-plane/index.ts';
import { cpuNsPerOp, printTable } from './data-plane.measure.ts';

function createSet(policy: PickingPolicy, instances: number, busy: number): InstanceSet<number> {
  const containerConcurrency = policy === 'random-choice-of-two' ? 0 : 1;
  const set = new InstanceSet<number>({ containerConcurrency, policy, random: createRandom(1) });
  set.set(Array.from({ length: instances }, (_, i) => ({ id: String(i).padStart(5, '0'), value: i })));
  for (let i = 0; i < busy; i++) set.pick();
  return set;
}

const rows: [string, number, number][] = [];
for (const policy of ['first-available', 'round-robin', 'random-choice-of-two'] as const) {
  for (const instances of [1, 10, 100, 1_000]) {
    const states = policy === 'random-choice-of-two' || instances === 1 ? [0] : [0, instances - 1];
    for (const busy of states) {
      const set = createSet(policy, instances, busy);
      const ns = cpuNsPerOp(2_000_000, (count) => {
        for (let i = 0; i < count; i++) {
          const slot = set.pick();
          if (slot === undefined) throw new Error('no instance');
          set.release(slot);
        }
      });
      rows.push([`${policy}, ${instances} instances, ${busy} busy`, ns, busy === 999 ? 10_500 : busy === 0 ? 160 : NaN]);
    }
  }
}
printTable('Instance picking', rows);
