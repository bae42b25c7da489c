// Replays the Kubernetes HPA: decisions, traces over time, admission.
import { defaultHpaSpec, validateHpaSpec } from '../../src/api/autoscaling/hpa-admission.ts';
import { emptyHpaStatus, runHpaPass, type HpaPass, type HpaStatus } from '../../src/autoscaler/hpa/hpa-controller.ts';
import type { HpaMetricInput, HpaPod, HpaSample, HpaSettings, HpaSpec } from '../../src/autoscaler/hpa/hpa-input.ts';
import { createHpaMemory } from '../../src/autoscaler/hpa/stabilization.ts';
import { casesOf } from './autoscaler.cases.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

type Requests = Record<string, Record<string, number>>;

interface VectorPod {
  n: string;
  phase?: HpaPod['phase'];
  ready?: 'True' | 'False' | 'none';
  start?: number;
  readyAt?: number;
  deleting?: boolean;
  requests?: Requests;
  podRequests?: Record<string, number>;
  sidecarInit?: boolean | Record<string, number>;
}

interface VectorMetric {
  pods?: Record<string, number>;
  at?: number;
  windowSec?: number;
  value?: number;
  values?: number[];
  error?: string;
}

interface StepInput {
  t: number;
  replicas: number;
  statusReplicas?: number;
  pods?: VectorPod[];
  metrics?: VectorMetric[];
  spec?: HpaSpec;
  scaleError?: string;
  updateError?: string;
  selector?: string;
}

interface HpaCase {
  id: string;
  hpa: { spec: HpaSpec };
  defaulted: HpaSpec;
  invalid?: string[];
  requests: Requests;
  controller?: { downscaleStabilizationSeconds?: number; tolerance?: number };
  steps: { in: StepInput; out: unknown }[];
}

export function* hpaCases(folder: string): Iterable<ReplayCase> {
  for (const file of ['hpa-decisions.json', 'hpa-traces.json']) {
    for (const item of casesOf<HpaCase>(folder, file)) {
      yield {
        file,
        id: item.id,
        expected: { defaulted: item.defaulted, steps: item.steps.map(({ out }) => out) },
        check: (want: unknown) => differencesOf(want, { defaulted: defaultHpaSpec(item.hpa.spec), steps: runSteps(item) }),
      };
    }
  }
  for (const item of casesOf<HpaCase>(folder, 'hpa-admission.json')) {
    yield {
      file: 'hpa-admission.json',
      id: item.id,
      expected: { defaulted: item.defaulted, invalid: item.invalid ?? [] },
      check: (want: unknown) => {
        const defaulted = defaultHpaSpec(item.hpa.spec);
        return differencesOf(want, { defaulted, invalid: validateHpaSpec(defaulted) });
      },
    };
  }
}

function runSteps(item: HpaCase): unknown[] {
  const memory = createHpaMemory();
  const settings: Partial<HpaSettings> = {
    ...(item.controller?.tolerance === undefined ? {} : { tolerance: item.controller.tolerance }),
    ...(item.controller?.downscaleStabilizationSeconds === undefined
      ? {}
      : { downscaleStabilizationMs: item.controller.downscaleStabilizationSeconds * 1_000 }),
  };
  let status: HpaStatus = emptyHpaStatus;
  let spec = defaultHpaSpec(item.hpa.spec);
  let pods: HpaPod[] = [];
  return item.steps.map(({ in: input }) => {
    spec = input.spec ?? spec;
    if (input.pods !== undefined) pods = input.pods.map((pod) => podOf(pod, item.requests));
    const pass = runHpaPass(memory, {
      namespace: 'default',
      spec,
      status,
      scale:
        input.scaleError === undefined
          ? {
              replicas: input.replicas,
              statusReplicas: input.statusReplicas ?? input.replicas,
              selector: input.selector ?? 'app=x',
            }
          : { error: input.scaleError },
      pods,
      metrics: (input.metrics ?? []).map((metric) => metricOf(metric, input.t)),
      rescale: () => input.updateError,
      settings,
      nowMs: input.t * 1_000,
    });
    const before = status;
    status = pass.status;
    return outputOf(before, pass);
  });
}

// Conditions are listed all or, when none has changed, not at all.
function outputOf(before: HpaStatus, { status, scaledTo, events, error }: HpaPass): unknown {
  const changed = JSON.stringify(before.conditions) !== JSON.stringify(status.conditions);
  return {
    current: status.currentReplicas,
    desired: status.desiredReplicas,
    ...(changed ? { conditions: status.conditions } : {}),
    ...(status.currentMetrics === undefined ? {} : { currentMetrics: status.currentMetrics }),
    ...(status.lastScaleMs === undefined ? {} : { lastScaleTime: status.lastScaleMs / 1_000 }),
    ...(scaledTo === undefined ? {} : { scaledTo }),
    ...(events.length === 0 ? {} : { events }),
    ...(error === undefined ? {} : { error }),
  };
}

const isSidecar = (pod: VectorPod, name: string): boolean => name === 'sidecar' && pod.sidecarInit !== undefined;

function podOf(pod: VectorPod, requests: Requests): HpaPod {
  const own = pod.requests ?? requests;
  const status = pod.ready ?? 'True';
  return {
    name: pod.n,
    phase: pod.phase ?? 'Running',
    deleting: pod.deleting ?? false,
    ready: status === 'none' ? undefined : { status, sinceMs: (pod.readyAt ?? -Infinity) * 1_000 },
    startMs: pod.start === undefined ? undefined : pod.start * 1_000,
    // Restartable init containers come after the others.
    containers: Object.entries(own)
      .map(([name, amounts]) => ({ name, requests: amounts }))
      .sort((a, b) => Number(isSidecar(pod, a.name)) - Number(isSidecar(pod, b.name))),
    ...(pod.podRequests === undefined ? {} : { podRequests: pod.podRequests }),
  };
}

function metricOf(metric: VectorMetric, t: number): HpaMetricInput {
  if (metric.error !== undefined) return { error: metric.error };
  if (metric.value !== undefined) return { value: metric.value };
  if (metric.values !== undefined) return { values: metric.values };
  const sample = (value: number): HpaSample => ({
    value,
    atMs: (metric.at ?? t) * 1_000,
    windowMs: (metric.windowSec ?? 60) * 1_000,
  });
  return { pods: new Map(Object.entries(metric.pods ?? {}).map(([name, value]) => [name, sample(value)])) };
}
