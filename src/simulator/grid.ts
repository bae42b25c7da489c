import { kpa, type KpaOptions } from '../autoscaler/policies/kpa-options.ts';
import { optionFault } from './fault.ts';
import type { SimulationOptions } from './options.ts';
import type { Summary } from './summary.ts';

/** One setting of each parameter. */
export type Parameters = Readonly<Record<string, number | string | boolean>>;

/** The values that each parameter takes. */
export type ParameterGrid = Readonly<Record<string, readonly (number | string | boolean)[]>>;

/** One run of a sweep. */
export interface SweepResult {
  readonly parameters: Parameters;
  readonly summary: Summary;
  /** Sentences about swings without a reason. */
  readonly oscillations: readonly string[];
}

/** Every combination of the values, the last parameter changing fastest. */
export function combinations(grid: ParameterGrid): readonly Parameters[] {
  let result: Parameters[] = [{}];
  for (const [name, values] of Object.entries(grid)) {
    if (values.length === 0) throw optionFault(`parameters.${name}`, 'has no values');
    result = result.flatMap((partial) => values.map((value) => ({ ...partial, [name]: value })));
  }
  return result;
}

const kpaNames = new Set<string>([
  'metric',
  'target',
  'targetUtilizationPercentage',
  'targetBurstCapacity',
  'window',
  'panicWindowPercentage',
  'panicThresholdPercentage',
  'scaleDownDelay',
  'activationScale',
  'maxScaleUpRate',
  'maxScaleDownRate',
  'aggregation',
] satisfies (keyof KpaOptions)[]);

const optionNames = new Set<string>([
  'containerConcurrency',
  'parallelism',
  'coldStart',
  'serviceTime',
  'queueDepth',
  'timeout',
  'instancesMax',
  'initialInstances',
  'seed',
  'picking',
  'scaleDown',
] satisfies (keyof SimulationOptions)[]);

const annotationNames = new Set(['min-scale', 'max-scale', 'initial-scale', 'scale-to-zero-pod-retention-period']);

/**
 * Options with these parameters: names of the KPA's options (`target`, `window` …) set the policy, names of simulation options
 * (`containerConcurrency`, `coldStart` …) replace them, bounds (`min-scale` …) become annotations, `keepAlive` scales per request.
 */
export function applyParameters(base: SimulationOptions, parameters: Parameters): SimulationOptions {
  const entries = Object.entries(parameters);
  const pick = (names: ReadonlySet<string>): Record<string, number | string | boolean> =>
    Object.fromEntries(entries.filter(([name]) => names.has(name)));
  const unknown = entries.find(
    ([name]) => !kpaNames.has(name) && !optionNames.has(name) && !annotationNames.has(name) && name !== 'keepAlive',
  );
  if (unknown !== undefined) {
    const known = [...kpaNames, ...optionNames, ...annotationNames, 'keepAlive'].join(', ');
    throw optionFault(`parameters.${unknown[0]}`, 'is not known here', `known are ${known}; give a module for anything else`);
  }
  const ofPolicy = pick(kpaNames);
  const annotations = Object.fromEntries(Object.entries(pick(annotationNames)).map(([name, value]) => [name, String(value)]));
  const { keepAlive } = parameters;
  return {
    ...base,
    ...pick(optionNames),
    ...(Object.keys(ofPolicy).length === 0 ? {} : { policy: kpa(ofPolicy) }),
    ...(keepAlive === undefined
      ? {}
      : { scalePerRequest: { keepAlive: typeof keepAlive === 'string' ? keepAlive : Number(keepAlive) } }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: { ...base.annotations, ...annotations } }),
    name: describeParameters(parameters),
  };
}

/** `target=10 window=30s`. */
export function describeParameters(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

/** What a setting must keep. */
export interface Objective {
  /** Latency, ms, that this share of the completed requests stays below. */
  readonly latencyMs: number;
  /** Default 0.95; one of 0.5, 0.9, 0.95, 0.99, 0.999. */
  readonly share?: number;
  /** Most requests that may be rejected, cut off or lost, as a share. Default 0. */
  readonly lostShareMax?: number;
}

/** Whether a run keeps the objective. */
export function meets({ latencyMs, share = 0.95, lostShareMax = 0 }: Objective, summary: Summary): boolean {
  const { latency } = summary;
  const known = new Map([
    [0.5, latency.p50Ms],
    [0.9, latency.p90Ms],
    [0.95, latency.p95Ms],
    [0.99, latency.p99Ms],
    [0.999, latency.p999Ms],
  ]);
  const actual = known.get(share);
  if (actual === undefined) throw optionFault('objective.share', `must be one of ${[...known.keys()].join(', ')}, got ${share}`);
  const lost = summary.rejected + summary.timedOut + summary.failed;
  return actual <= latencyMs && lost <= lostShareMax * summary.requests;
}

/** The cheapest of the runs that keep the objective, by cost and then by instance-seconds; `undefined` when none does. */
export function cheapest(results: readonly SweepResult[], objective: Objective): SweepResult | undefined {
  return results
    .filter(({ summary }) => meets(objective, summary))
    .toSorted((a, b) => a.summary.cost - b.summary.cost || a.summary.instanceSeconds - b.summary.instanceSeconds)[0];
}
