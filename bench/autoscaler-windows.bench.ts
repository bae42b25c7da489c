// Window record and average against the recorded Go figures: `node bench/autoscaler-windows.bench.ts`.
import { LinearWindow, MaxWindow, WeightedWindow, type Window } from '../src/autoscaler/index.ts';
import { runWorkloads, sink } from './autoscaler-measure.ts';

const startMs = 946_684_800_000;

function recordAndAverage(window: Window): (operations: number) => void {
  let reachedMs = startMs;
  return (operations) => {
    let sum = 0;
    let nowMs = reachedMs;
    for (let step = 0; step < operations; step++) {
      nowMs += 1_000;
      window.record(nowMs, step % 100);
      sum += window.average(nowMs);
    }
    reachedMs = nowMs;
    sink.value += sum;
  };
}

function staleAverage(window: Window): (operations: number) => void {
  for (let second = 0; second < 60; second++) window.record(startMs + second * 1_000, second);
  const nowMs = startMs + 89_000;
  return (operations) => {
    let sum = 0;
    for (let step = 0; step < operations; step++) sum += window.average(nowMs);
    sink.value += sum;
  };
}

function maximum(): (operations: number) => void {
  const window = new MaxWindow(300_000, 2_000);
  let reachedMs = startMs;
  return (operations) => {
    let sum = 0;
    let nowMs = reachedMs;
    for (let step = 0; step < operations; step++) {
      nowMs += 2_000;
      window.record(nowMs, (step * 7_919) % 50);
      sum += window.current();
    }
    reachedMs = nowMs;
    sink.value += sum;
  };
}

const results = runWorkloads(import.meta.url, [
  {
    name: 'W1 linear 60 s, record + average',
    operations: 2_000_000,
    start: () => recordAndAverage(new LinearWindow(60_000)),
    recordedNs: 82,
    goal: '≥ 5×',
  },
  {
    name: 'W2 linear 1 h, record + average',
    operations: 2_000_000,
    start: () => recordAndAverage(new LinearWindow(3_600_000)),
    recordedNs: 83,
    goal: '≥ 5×',
  },
  {
    name: 'W3 weighted 60 s, record + average',
    operations: 1_000_000,
    start: () => recordAndAverage(new WeightedWindow(60_000)),
    recordedNs: 235,
    goal: '≥ 9×',
  },
  {
    name: 'W4 weighted 1 h, record + average',
    operations: 1_000_000,
    start: () => recordAndAverage(new WeightedWindow(3_600_000)),
    recordedNs: 35_526,
    goal: '≥ 700×, ≤ 2.5 × W3',
  },
  {
    name: 'W5 linear 60 s, average 30 s after the last record',
    operations: 2_000_000,
    start: () => staleAverage(new LinearWindow(60_000)),
    recordedNs: 111,
    goal: '≥ 3×',
  },
  { name: 'M1 maximum 5 min, record + current', operations: 2_000_000, start: maximum, recordedNs: 14, goal: 'none' },
]);
const [minute = NaN, hour = NaN] = ['W3 weighted 60 s, record + average', 'W4 weighted 1 h, record + average'].map(
  (name) => results.get(name) ?? NaN,
);
console.log(`\nweighted 1 h : 60 s = ${(hour / minute).toFixed(2)}`);
