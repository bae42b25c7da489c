// Decisions, and one second of a decider's life, against the recorded Go figures: `node bench/autoscaler-decide.bench.ts`.
import { defaultAutoscalerConfig } from '../src/api/autoscaling/config-autoscaler.ts';
import { createVirtualClock } from '../src/clock.ts';
import {
  Collection,
  createMultiScaler,
  kpaPolicy,
  makeDeciderSpec,
  MetricCollector,
  type DeciderSpec,
  type Observation,
} from '../src/autoscaler/index.ts';
import { runWorkloads, sink } from './autoscaler-measure.ts';

const startMs = 946_684_800_000;
const prefix = 'autoscaling.knative.dev';
const specWith = (annotations: Record<string, string>): DeciderSpec =>
  makeDeciderSpec({ annotations }, defaultAutoscalerConfig());
const minute = specWith({});
const hour = specWith({ [`${prefix}/window`]: '1h' });
const delayed = specWith({ [`${prefix}/scale-down-delay`]: '5m' });
const weightedMinute = specWith({ [`${prefix}/metric-aggregation-algorithm`]: 'weighted-exponential' });
const weightedHour = specWith({ [`${prefix}/metric-aggregation-algorithm`]: 'weighted-exponential', [`${prefix}/window`]: '1h' });

class Observed implements Observation {
  readonly spec: DeciderSpec;
  readonly collection: Collection;
  readonly readyPods = 1;
  constructor(spec: DeciderSpec, collection: Collection) {
    this.spec = spec;
    this.collection = collection;
  }
  average(index: number, nowMs: number): number {
    return this.collection.average(index, nowMs);
  }
  isEmpty(index: number, nowMs: number): boolean {
    return this.collection.isEmpty(index, nowMs);
  }
}

const statOf = (step: number) => ({
  averageConcurrentRequests: 50 + (step % 37),
  averageProxiedConcurrentRequests: 0,
  requestCount: 50,
  proxiedRequestCount: 0,
});
// A report is an object that arrived from somewhere; making it is not the autoscaler's work.
const stats = Array.from({ length: 37 }, (_, step) => statOf(step));

function decideAlone(spec: DeciderSpec): (operations: number) => void {
  const collection = new Collection(kpaPolicy.metrics(spec));
  const observation = new Observed(spec, collection);
  const state = kpaPolicy.initial(observation, startMs);
  const seconds = spec.stableWindowMs / 1_000;
  for (let step = 0; step < seconds; step++) collection.record(startMs + step * 1_000, statOf(step));
  const nowMs = startMs + (seconds - 1) * 1_000 + 500;
  return (operations) => {
    let sum = 0;
    for (let step = 0; step < operations; step++) sum += kpaPolicy.decide(observation, state, nowMs).desired;
    sink.value += sum;
  };
}

function oneSecond(spec: DeciderSpec, byKey: boolean): (operations: number) => void {
  const collector = new MetricCollector();
  // A look-up among ten thousand revisions, under a key that the report brings along.
  const keys = Array.from({ length: 10_000 }, (_, index) => `default/revision-${index}`);
  const collections = byKey ? keys.map((key) => collector.createOrUpdate(key, kpaPolicy.metrics(minute), startMs)) : [];
  const key = 'default/hello-00001';
  const collection = collector.createOrUpdate(key, kpaPolicy.metrics(spec), startMs);
  const observation = new Observed(spec, collection);
  const state = kpaPolicy.initial(observation, startMs);
  sink.value += collections.length;
  let reachedMs = startMs;
  return (operations) => {
    let sum = 0;
    let at = 0;
    let nowMs = reachedMs;
    for (let step = 0; step < operations; step++) {
      nowMs += 1_000;
      if (++at === 37) at = 0;
      const stat = stats[at];
      if (stat === undefined) continue;
      if (byKey) collector.record(key, nowMs, stat);
      else collection.record(nowMs, stat);
      sum += kpaPolicy.decide(observation, state, nowMs).desired;
    }
    reachedMs = nowMs;
    sink.value += sum;
  };
}

runWorkloads(import.meta.url, [
  { name: 'S1 decide, linear 60 s', operations: 2_000_000, start: () => decideAlone(minute), recordedNs: 149, goal: '≥ 3.5×' },
  { name: 'S2 decide, linear 1 h', operations: 2_000_000, start: () => decideAlone(hour), recordedNs: 151, goal: '≥ 3.5×' },
  {
    name: 'S3 decide, scale-down-delay 5 min',
    operations: 2_000_000,
    start: () => decideAlone(delayed),
    recordedNs: 149,
    goal: '≥ 3×',
  },
  {
    name: 'S4 decide, weighted 60 s',
    operations: 1_000_000,
    start: () => decideAlone(weightedMinute),
    recordedNs: 314,
    goal: '≥ 7.5×',
  },
  {
    name: 'S5 decide, weighted 1 h',
    operations: 1_000_000,
    start: () => decideAlone(weightedHour),
    recordedNs: 41_942,
    goal: '≥ 1,000×',
  },
  {
    name: 'T1 record + decide, linear 60 s',
    operations: 1_000_000,
    start: () => oneSecond(minute, false),
    recordedNs: 388,
    goal: '≥ 5×',
  },
  {
    name: 'T2 record + decide, linear 1 h',
    operations: 1_000_000,
    start: () => oneSecond(hour, false),
    recordedNs: 362,
    goal: '≥ 5×',
  },
  {
    name: 'T1 through the look-up by key',
    operations: 1_000_000,
    start: () => oneSecond(minute, true),
    recordedNs: 388,
    goal: '≥ 4×',
  },
]);

/** CPU of one round of ticks of many deciders, through the real multi-scaler. */
function tickMs(count: number): number {
  const clock = createVirtualClock(startMs);
  const scaler = createMultiScaler({ clock, readyPods: () => 1 });
  const keys = Array.from({ length: count }, (_, index) => `default/revision-${index}`);
  for (const key of keys) scaler.ensure(key, minute);
  const samples: number[] = [];
  for (let round = 0; round < 60; round++) {
    for (const [index, key] of keys.entries()) scaler.record(key, stats[(round + index) % 37] ?? statOf(0));
    const before = process.cpuUsage();
    clock.advanceSync(2_000);
    const used = process.cpuUsage(before);
    if (round >= 20) samples.push((used.user + used.system) / 1_000);
  }
  void scaler.close();
  samples.sort((a, b) => a - b);
  return samples[Math.floor(samples.length / 2)] ?? NaN;
}

console.log(`\n10,000 deciders tick in ${tickMs(10_000).toFixed(2)} ms of CPU (goal: 2 ms)`);
