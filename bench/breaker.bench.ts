// One uncontended pass through a breaker: enter and leave. Goal: at most 60 ns (upstream in Go, recorded: 29 ns).
import { createBreaker } from '../src/serving/data-plane/index.ts';
import { cpuNsPerOp, printTable } from './data-plane.measure.ts';

const breaker = createBreaker({ queueDepth: 100, maxConcurrency: 10 });
const ticket = { granted: (): void => undefined };
let refused = 0;

const rows = [
  [
    'enter and leave, free',
    cpuNsPerOp(5_000_000, (count) => {
      for (let i = 0; i < count; i++) {
        if (breaker.enter(ticket) !== 'running') refused++;
        breaker.leave();
      }
    }),
    29,
  ],
  [
    'tryEnter and leave, free',
    cpuNsPerOp(5_000_000, (count) => {
      for (let i = 0; i < count; i++) {
        if (!breaker.tryEnter()) refused++;
        breaker.leave();
      }
    }),
    29,
  ],
] as [string, number, number][];

for (let i = 0; i < 10; i++) breaker.enter(ticket);
rows.push([
  'enter, wait, get the turn of another one, leave',
  cpuNsPerOp(2_000_000, (count) => {
    for (let i = 0; i < count; i++) {
      if (breaker.enter(ticket) !== 'waiting') refused++;
      breaker.leave();
    }
  }),
  NaN,
]);
if (refused > 0) throw new Error(`${refused} passes were refused`);
printTable('Breaker', rows);
