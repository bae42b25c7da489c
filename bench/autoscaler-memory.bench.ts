// Memory per decider with its windows: `node --expose-gc bench/autoscaler-memory.bench.ts`.
import { defaultAutoscalerConfig } from '../src/api/autoscaling/config-autoscaler.ts';
import { createVirtualClock } from '../src/clock.ts';
import { createMultiScaler, makeDeciderSpec } from '../src/autoscaler/index.ts';

const collect = globalThis.gc;
if (collect === undefined) {
  console.error('run with --expose-gc');
  process.exit(2);
}

const count = 2_000;
const load = { averageConcurrentRequests: 5, averageProxiedConcurrentRequests: 0, requestCount: 5, proxiedRequestCount: 0 };

function used(): number {
  collect?.();
  collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes per decider: windows, panic state and place in the queue; the spec is shared, as it is between equal revisions. */
function bytesPerDecider(annotations: Record<string, string>): number {
  const spec = makeDeciderSpec({ annotations }, defaultAutoscalerConfig());
  const clock = createVirtualClock();
  const keys = Array.from({ length: count }, (_, index) => `default/revision-${index}`);
  const scaler = createMultiScaler({ clock, readyPods: () => 1 });
  scaler.ensure('warm/up', spec);
  const before = used();
  for (const key of keys) {
    scaler.ensure(key, spec);
    scaler.record(key, load);
  }
  clock.advanceSync(2_000);
  const after = used();
  void scaler.close();
  return (after - before) / count;
}

const rows: [string, Record<string, string>, number | undefined, string][] = [
  ['linear, 60 s', {}, 5_021, '≤ 1,600'],
  ['weighted, 60 s', { 'autoscaling.knative.dev/metric-aggregation-algorithm': 'weighted-exponential' }, undefined, '≤ 3,000'],
  ['linear, 60 s, scale-down-delay 5 min', { 'autoscaling.knative.dev/scale-down-delay': '5m' }, 8_464, ''],
  ['linear, 1 h', { 'autoscaling.knative.dev/window': '1h' }, 75_129, '≤ 36,000'],
];
console.log('| decider with its windows | bytes | Go heap, recorded | goal |\n|---|---|---|---|');
for (const [name, annotations, recorded, goal] of rows) {
  console.log(`| ${name} | ${bytesPerDecider(annotations).toFixed(0)} | ${recorded?.toLocaleString('en') ?? ''} | ${goal} |`);
}
