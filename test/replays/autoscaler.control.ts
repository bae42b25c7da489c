// Replays what stands around the decision: deciders, bounds, scale to zero, conditions, activators, the multi-scaler.
import { manageConditions } from '../../src/api/conditions.ts';
import type { Condition } from '../../src/api/resource.ts';
import { createVirtualClock } from '../../src/clock.ts';
import {
  activeThreshold,
  initializedType,
  markActive,
  podAutoscalerConditions,
  shownDesiredScale,
} from '../../src/autoscaler/active-condition.ts';
import { activatorCount } from '../../src/autoscaler/activators.ts';
import { createMultiScaler } from '../../src/autoscaler/multi-scaler.ts';
import type { Decision, Policy } from '../../src/autoscaler/policy.ts';
import { decideScale } from '../../src/autoscaler/scale.ts';
import {
  aggregationOf,
  autoscalerClassOf,
  makeDeciderSpec,
  metricOf,
  panicWindowOf,
  podRetentionAnnotationOf,
  scaleBoundsOf,
  stableWindowOf,
  targetBurstCapacityOf,
  type ScalingInput,
} from '../../src/autoscaler/settings.ts';
import { configOf } from './autoscaler.admission.ts';
import { casesOf, jsonNumbers } from './autoscaler.cases.ts';
import { specOf } from './autoscaler.decisions.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

type StringMap = Record<string, string>;
type Reachability = '' | 'Reachable' | 'Unreachable';
const nowMs = 1_700_000_000_000;
const isoAt = (ms: number): string => new Date(ms).toISOString();

interface DeciderCase {
  annotations: StringMap;
  config: StringMap;
  containerConcurrency: number;
  reachability: Reachability;
  expect: { defaultedClass: string; defaultedMetric: string };
}

export function* deciderCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<DeciderCase & { valid: boolean }>(folder, 'decider.json').entries()) {
    yield {
      file: 'decider.json',
      id: String(index + 1),
      expected: item.expect,
      check: (want: unknown) => differencesOf(want, jsonNumbers(deciderView(item))),
    };
  }
}

function deciderView(item: DeciderCase): unknown {
  const config = configOf(item.config);
  const { annotations, containerConcurrency, reachability } = item;
  const input: ScalingInput = { annotations, containerConcurrency, reachability };
  const {
    panicWindowMs: _panic,
    aggregation: _aggregation,
    containerConcurrency: _limit,
    scraped: _scraped,
    ...decider
  } = makeDeciderSpec(input, config);
  const { min, max } = scaleBoundsOf(input, config);
  const defaulted: ScalingInput = { ...input, annotations: defaultedAnnotations(annotations, config.podAutoscalerClass) };
  return {
    algorithm: aggregationOf(input),
    class: autoscalerClassOf(input),
    metric: metricOf(input),
    defaultedClass: autoscalerClassOf(defaulted),
    defaultedMetric: metricOf(defaulted),
    decider,
    minScale: min,
    maxScale: max,
    stableWindowMs: stableWindowOf(input, config),
    panicWindowMs: panicWindowOf(input, config),
    podRetentionMs: podRetentionAnnotationOf(input) ?? null,
  };
}

// Defaulting writes the configured class where there is none.
function defaultedAnnotations(annotations: StringMap, className: string): StringMap {
  return { 'autoscaling.knative.dev/class': className, ...annotations };
}

interface ScaleCase {
  annotations: StringMap;
  config: StringMap;
  progressDeadlineMs: number;
  reachability: Reachability;
  desired: number;
  active: Condition['status'] | 'New';
  activeForMs: number;
  initialized: boolean;
  sksMode: 'Proxy' | 'Serve';
  sksProxyForMs: number | null;
  probe: string;
  probeInFlight: boolean;
  replicas: number | null;
  expect: unknown;
}

export function* scaleCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<ScaleCase>(folder, 'kpa-scale.json').entries()) {
    yield {
      file: 'kpa-scale.json',
      id: String(index + 1),
      expected: item.expect,
      check: (want: unknown) => differencesOf(want, scaleView(item)),
    };
  }
}

function scaleView(item: ScaleCase): unknown {
  const config = configOf(item.config);
  const input: ScalingInput = { annotations: item.annotations, reachability: item.reachability };
  let probed = false;
  const outcome = decideScale({
    input,
    config,
    progressDeadlineMs: item.progressDeadlineMs,
    desiredScale: item.desired,
    active:
      item.active === 'New'
        ? { status: 'Unknown', lastTransitionTime: isoAt(nowMs - item.activeForMs) }
        : { status: item.active, lastTransitionTime: isoAt(nowMs - item.activeForMs) },
    initialized: item.initialized,
    mode: item.sksMode,
    proxyForMs: item.sksProxyForMs ?? 0,
    probe: () => {
      probed = true;
      return item.probe === 'true';
    },
    nowMs,
  });
  const { min, max } = scaleBoundsOf(input, config);
  return {
    asyncProbeOffered: outcome.awaitsProbe,
    enqueueAfterMs: outcome.requeueAfterMs === undefined ? [] : [outcome.requeueAfterMs],
    error: null,
    min,
    max,
    probed,
    replicas: outcome.apply && outcome.want !== (item.replicas ?? 1) ? outcome.want : null,
    want: outcome.want,
  };
}

interface ActiveCase {
  annotations: StringMap | null;
  config: StringMap | null;
  reachability: Reachability;
  want: number;
  ready: number;
  active: Condition['status'] | 'New';
  initialized: boolean;
  serviceName: string;
  desiredScaleBefore: number | null;
  sksReady: Condition['status'];
  expect: unknown;
}

export function* activeCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<ActiveCase>(folder, 'kpa-active.json').entries()) {
    yield {
      file: 'kpa-active.json',
      id: String(index + 1),
      expected: item.expect,
      check: (want: unknown) => differencesOf(want, activeView(item)),
    };
  }
}

function activeView(item: ActiveCase): unknown {
  const config = configOf(item.config);
  const input: ScalingInput = { annotations: item.annotations ?? {}, reachability: item.reachability };
  const before = manageConditions(podAutoscalerConditions, undefined, nowMs - 60_000);
  before.initialize();
  if (item.initialized) before.markTrue(initializedType);
  if (item.sksReady === 'True') before.markTrue('SKSReady');
  if (item.active === 'True') before.markTrue('Active');
  if (item.active === 'False') before.markFalse('Active', 'NoTraffic', 'The target is not receiving traffic.');
  if (item.active === 'Unknown') {
    before.markUnknown('Active', 'Queued', 'Requests to the target are being buffered as resources are provisioned.');
  }
  const conditions = manageConditions(podAutoscalerConditions, before.conditions, nowMs);
  const threshold = activeThreshold(input, config, conditions.get(initializedType)?.status === 'True');
  markActive(conditions, { input, config, want: item.want, readyPods: item.ready, serviceName: item.serviceName });
  const show = (type: string): unknown[] => {
    const condition = conditions.get(type);
    return [condition?.status, condition?.reason ?? '', condition?.message ?? ''];
  };
  return {
    active: show('Active'),
    activeChanged: conditions.get('Active')?.lastTransitionTime !== before.get('Active')?.lastTransitionTime,
    activeThreshold: threshold,
    actualScale: item.ready,
    desiredScale: shownDesiredScale(item.want, item.desiredScaleBefore ?? undefined),
    initialized: conditions.get(initializedType)?.status,
    ready: show('Ready'),
  };
}

interface ActivatorCase {
  annotations: StringMap;
  config: StringMap;
  ready: number;
  activatorCapacity: number;
  totalValue: number;
  targetBurstCapacity: number;
  expect: unknown;
}

export function* activatorCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<ActivatorCase>(folder, 'kpa-activators.json').entries()) {
    yield {
      file: 'kpa-activators.json',
      id: String(index + 1),
      expected: item.expect,
      check: (want: unknown) => {
        const config = configOf(item.config);
        const input: ScalingInput = { annotations: item.annotations };
        return differencesOf(
          want,
          jsonNumbers({
            numActivators: activatorCount(item.ready, item),
            resolvedTBC: targetBurstCapacityOf(input, config),
            scrapeTarget: makeDeciderSpec(input, config).scraped ? 'rev-private' : '',
          }),
        );
      },
    };
  }
}

type ScriptedResult = [number, number, boolean];
type Step = [
  kind: 'tick' | 'poke',
  t: number,
  concurrency: number | null,
  ran: boolean,
  result: ScriptedResult | null,
  ...unknown[],
];

interface MultiScalerCase {
  initial: [number, number];
  initialScale: number;
  targetBurstCapacity: number;
  totalValue: number;
  steps: Step[];
}

export function* multiScalerCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<MultiScalerCase>(folder, 'multiscaler.json').entries()) {
    yield {
      file: 'multiscaler.json',
      id: String(index + 1),
      expected: {
        initial: item.initial,
        steps: item.steps.map(([, , , ran, , announced, desired, ebc]) => [ran, announced, desired, ebc]),
      },
      check: (want: unknown) => differencesOf(want, jsonNumbers(multiScalerView(item))),
    };
  }
}

function multiScalerView(item: MultiScalerCase): unknown {
  const clock = createVirtualClock(nowMs);
  let script: Decision = { desired: 0, excessBurstCapacity: 0, valid: false };
  let ran = false;
  let announced = false;
  const policy: Policy<undefined> = {
    name: 'scripted',
    metrics: () => [],
    initial: () => undefined,
    decide: () => {
      ran = true;
      return script;
    },
  };
  const scaler = createMultiScaler({ clock, policy, readyPods: () => 0, onChange: () => (announced = true) });
  const base = specOf({
    maxScaleUpRate: 1_000,
    maxScaleDownRate: 2,
    scalingMetric: 'concurrency',
    targetValue: item.totalValue * 0.7,
    totalValue: item.totalValue,
    targetBurstCapacity: item.targetBurstCapacity,
    activatorCapacity: 100,
    panicThreshold: 2,
    stableWindowMs: 60_000,
    scaleDownDelayMs: 0,
    initialScale: item.initialScale,
    reachable: true,
    activationScale: 0,
  });
  const status = scaler.ensure('a/b', base);
  const initial = [status.desiredScale, status.excessBurstCapacity];
  const steps = item.steps.map(([kind, t, concurrency, , result]) => {
    script = { desired: result?.[0] ?? 0, excessBurstCapacity: result?.[1] ?? 0, valid: result?.[2] ?? false };
    ran = false;
    announced = false;
    clock.advanceSync(nowMs + t - clock.now());
    if (kind === 'poke') scaler.poke('a/b', { averageConcurrentRequests: concurrency ?? 0 });
    const view = scaler.get('a/b');
    return [ran, announced, view?.desiredScale, view?.excessBurstCapacity];
  });
  void scaler.close();
  return { initial, steps };
}
