// Replays windows, the descending maximum, single decisions and whole decider traces.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Collection } from '../../src/autoscaler/collector.ts';
import { kpaPolicy, type KpaState } from '../../src/autoscaler/policies/kpa.ts';
import type { DeciderSpec, Observation } from '../../src/autoscaler/policy.ts';
import { createWindow } from '../../src/autoscaler/windows/create-window.ts';
import { MaxWindow } from '../../src/autoscaler/windows/max-window.ts';
import { casesOf, jsonNumbers, numberOf } from './autoscaler.cases.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

type Aggregation = DeciderSpec['aggregation'];

interface WindowCase {
  name: string;
  algorithm: Aggregation;
  windowMs: number;
  bucketMs: number;
  ops: [string, number, (number | boolean)?][];
}

export function* windowCases(folder: string): Iterable<ReplayCase> {
  for (const item of casesOf<WindowCase>(folder, 'windows.json')) {
    const outputs = item.ops.filter(([kind]) => kind === 'a' || kind === 'e').map(([, , value]) => jsonNumbers(value));
    yield {
      file: 'windows.json',
      id: item.name,
      expected: outputs,
      check: (want: (number | boolean)[]) => {
        const window = createWindow(item.algorithm, item.windowMs, item.bucketMs);
        const got: (number | boolean)[] = [];
        for (const [kind, timeMs, value] of item.ops) {
          if (kind === 'r') window.record(timeMs, Number(value));
          else if (kind === 'z') window.resize(timeMs, Number(value));
          else got.push(kind === 'a' ? window.average(timeMs) : window.isEmpty(timeMs));
        }
        return differencesOf(
          want,
          got.map((value, index) => near(item.algorithm, want[index], value)),
        );
      },
    };
  }
  for (const item of casesOf<{ name: string; durationMs: number; bucketMs: number; ops: number[][] }>(
    folder,
    'max-window.json',
  )) {
    yield {
      file: 'max-window.json',
      id: item.name,
      expected: item.ops.map((op) => op[2]),
      check: (want: number[]) => {
        const window = new MaxWindow(item.durationMs, item.bucketMs);
        const got = item.ops.map(([timeMs = 0, value = 0]) => {
          window.record(timeMs, value);
          return window.current();
        });
        return differencesOf(want, got);
      },
    };
  }
}

// Weighted averages may differ by the power function's last bits: within 1e-9 the reference's own value is taken.
function near<T>(algorithm: Aggregation, want: unknown, got: T): unknown {
  if (typeof got !== 'number') return got;
  if (got === 0) return 0;
  return algorithm === 'weighted-exponential' && typeof want === 'number' && Math.abs(want - got) <= 1e-9 * Math.abs(want)
    ? want
    : got;
}

/** A decider's spec as the vectors write it. */
export type VectorSpec = Record<string, unknown>;

export function specOf(
  spec: VectorSpec,
  metric: { panicWindowMs?: number; algorithm?: Aggregation; scraped?: boolean } = {},
): DeciderSpec {
  const number = (name: string): number => numberOf(spec[name] as number | string);
  return {
    maxScaleUpRate: number('maxScaleUpRate'),
    maxScaleDownRate: number('maxScaleDownRate'),
    scalingMetric: spec['scalingMetric'] as string,
    targetValue: number('targetValue'),
    totalValue: number('totalValue'),
    targetBurstCapacity: number('targetBurstCapacity'),
    activatorCapacity: number('activatorCapacity'),
    panicThreshold: number('panicThreshold'),
    stableWindowMs: number('stableWindowMs'),
    panicWindowMs: metric.panicWindowMs ?? number('stableWindowMs') / 10,
    aggregation: metric.algorithm ?? 'linear',
    scaleDownDelayMs: number('scaleDownDelayMs'),
    initialScale: number('initialScale'),
    reachable: spec['reachable'] as boolean,
    activationScale: number('activationScale'),
    containerConcurrency: 0,
    scraped: metric.scraped ?? true,
  };
}

interface EdgeCase {
  kind: 'normal' | 'extreme';
  spec: VectorSpec;
  ready: number;
  stable: number | string;
  panic: number | string;
  expect: unknown;
}

export function* edgeCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<EdgeCase>(folder, 'scale-edge.json').entries()) {
    yield {
      file: 'scale-edge.json',
      id: String(index + 1),
      ...(item.kind === 'extreme' ? { skip: 'extreme: non-finite input is refused before it reaches a decision' } : {}),
      expected: jsonNumbers(item.expect),
      check: (want: unknown) => {
        const spec = specOf(item.spec);
        const averages = [numberOf(item.stable), numberOf(item.panic)];
        const observe = (readyPods: number): Observation => ({
          spec,
          readyPods,
          average: (at) => averages[at] ?? 0,
          isEmpty: () => false,
        });
        const nowMs = 1_700_000_000_000;
        const state = kpaPolicy.initial(observe(0), nowMs);
        const decision = kpaPolicy.decide(observe(item.ready), state, nowMs);
        return differencesOf(
          want,
          jsonNumbers({
            desired: decision.desired,
            ebc: decision.excessBurstCapacity,
            maxPanicPods: state.maxPanicPods,
            panicking: !Number.isNaN(state.panicTimeMs),
            valid: decision.valid,
          }),
        );
      },
    };
  }
}

type TraceEvent = [string, number, ...unknown[]];

interface Trace {
  name: string;
  spec: VectorSpec;
  metric: { stableWindowMs: number; panicWindowMs: number; algorithm: Aggregation; scrapeTarget: string };
  new: { atMs: number; ready: number | 'error'; panicTimeMs: number | null; maxPanicPods: number };
  events: TraceEvent[];
}

const readyOf = (ready: unknown): number | undefined =>
  ready === 'error' ? undefined : ready === 'notfound' ? 0 : (ready as number);

const panicOf = (state: KpaState): [number | null, number] => [
  Number.isNaN(state.panicTimeMs) ? null : state.panicTimeMs,
  state.maxPanicPods,
];

class TraceObservation implements Observation {
  spec: DeciderSpec;
  readyPods: number | undefined;
  readonly collection: Collection;
  constructor(spec: DeciderSpec, collection: Collection, readyPods: number | undefined) {
    this.spec = spec;
    this.collection = collection;
    this.readyPods = readyPods;
  }
  average(index: number, nowMs: number): number {
    return this.collection.average(index, nowMs);
  }
  isEmpty(index: number, nowMs: number): boolean {
    return this.collection.isEmpty(index, nowMs);
  }
}

export function* traceCases(folder: string): Iterable<ReplayCase> {
  const traces = join(folder, 'traces');
  if (!existsSync(traces)) return;
  for (const name of readdirSync(traces)
    .filter((file) => file.endsWith('.json'))
    .sort()) {
    for (const trace of casesOf<Trace>(traces, name)) {
      const outputs = trace.events.filter(([kind]) => kind === 's').map((event) => jsonNumbers(event.slice(3)));
      yield {
        file: `traces/${name}`,
        id: trace.name,
        expected: { new: [trace.new.panicTimeMs, trace.new.maxPanicPods], outputs },
        check: (want: { outputs: unknown[][] }) => differencesOf(want, replayTrace(trace, want.outputs)),
      };
    }
  }
}

function replayTrace(trace: Trace, want: readonly unknown[][]): { new: unknown[]; outputs: unknown[][] } {
  const { algorithm, panicWindowMs, scrapeTarget } = trace.metric;
  const metric = { algorithm, panicWindowMs, scraped: scrapeTarget !== '' };
  const spec = { ...specOf(trace.spec, metric), stableWindowMs: trace.metric.stableWindowMs };
  const collection = new Collection(kpaPolicy.metrics(spec));
  const observation = new TraceObservation(specOf(trace.spec, metric), collection, readyOf(trace.new.ready));
  const state = kpaPolicy.initial(observation, trace.new.atMs);
  const created = panicOf(state);
  const outputs: unknown[][] = [];
  for (const [kind, timeMs, ...rest] of trace.events) {
    if (kind === 'r') {
      const [concurrency, proxied, count, proxiedCount] = rest as [number, number, number, number];
      collection.record(timeMs, {
        averageConcurrentRequests: concurrency,
        averageProxiedConcurrentRequests: proxied,
        requestCount: count,
        proxiedRequestCount: proxiedCount,
      });
    } else if (kind === 'u') {
      observation.spec = specOf(rest[0] as VectorSpec, metric);
    } else if (kind === 'w') {
      const [stableWindowMs, newPanicWindowMs] = rest as [number, number];
      collection.update(timeMs, kpaPolicy.metrics({ ...observation.spec, stableWindowMs, panicWindowMs: newPanicWindowMs }));
    } else {
      observation.readyPods = readyOf(rest[0]);
      const decision = kpaPolicy.decide(observation, state, timeMs);
      const expected = want[outputs.length] ?? [];
      const noData = decision.cause !== 'decided';
      const averages =
        noData && (expected[3] === null || collection.isEmpty(0, timeMs))
          ? [null, null]
          : [0, 1].map((at) => near(algorithm, expected[3 + at], collection.average(at, timeMs)));
      outputs.push([decision.desired + 0, decision.excessBurstCapacity + 0, decision.valid, ...averages, ...panicOf(state)]);
    }
  }
  return { new: created, outputs };
}
