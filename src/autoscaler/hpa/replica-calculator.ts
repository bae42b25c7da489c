import type { HpaPod, HpaSample, HpaSettings } from './hpa-input.ts';

/** No change while 1 - down <= ratio <= 1 + up. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a metric asks for: replicas, the average that was measured, and the utilization where there is one. */
export interface Proposal {
  readonly replicas: number;
  readonly average: number;
  readonly utilization?: number;
}

/** A metric that cannot be used, with upstream's text. */
export class MetricError extends Error {}

const int32Max = 2_147_483_647;
const toInt32 = (value: number): number =>
  value > int32Max ? int32Max : value < -int32Max - 1 ? -int32Max - 1 : Math.trunc(value);
const within = (ratio: number, { up, down }: Tolerances): boolean => 1 - down <= ratio && ratio <= 1 + up;

interface Groups {
  readyCount: number;
  unready: string[];
  missing: string[];
  ignored: string[];
}

// Only CPU samples of starting pods are doubted: starting costs CPU that serving does not.
function groupPods(
  pods: readonly HpaPod[],
  samples: ReadonlyMap<string, HpaSample>,
  isCpu: boolean,
  settings: HpaSettings,
  nowMs: number,
): Groups {
  const groups: Groups = { readyCount: 0, unready: [], missing: [], ignored: [] };
  for (const pod of pods) {
    const sample = samples.get(pod.name);
    if (pod.deleting || pod.phase === 'Failed') groups.ignored.push(pod.name);
    else if (pod.phase === 'Pending') groups.unready.push(pod.name);
    else if (sample === undefined) groups.missing.push(pod.name);
    else if (isCpu && isStarting(pod, sample, settings, nowMs)) groups.unready.push(pod.name);
    else groups.readyCount++;
  }
  return groups;
}

function isStarting({ ready, startMs }: HpaPod, sample: HpaSample, settings: HpaSettings, nowMs: number): boolean {
  if (ready === undefined || startMs === undefined) return true;
  if (startMs + settings.cpuInitializationPeriodMs > nowMs) {
    return ready.status === 'False' || sample.atMs < ready.sinceMs + sample.windowMs;
  }
  return ready.status === 'False' && startMs + settings.initialReadinessDelayMs > ready.sinceMs;
}

/** What the calculation for pod metrics needs besides the samples. */
export interface PodMetricContext {
  readonly pods: readonly HpaPod[];
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly settings: HpaSettings;
  readonly nowMs: number;
}

interface Usage {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

/** Replicas for a target utilization in percent of the requests of a resource, of one container or of whole pods. */
export function replicasForUtilization(
  context: PodMetricContext,
  samples: ReadonlyMap<string, HpaSample>,
  target: { readonly resource: string; readonly percent: number; readonly container?: string },
): Proposal {
  const { resource, percent } = target;
  requirePods(context.pods);
  const groups = groupPods(context.pods, samples, resource === 'cpu', context.settings, context.nowMs);
  const values = valuesOf(samples, groups);
  const requests = requestsOf(context.pods, resource, target.container);
  requireValues(values);
  const usageOf = (): Usage => utilizationOf(values, requests, percent);
  // A pod that is missing while scaling down is taken to use what it asked for, or the target if that is more.
  const missingValue = (name: string): number => Math.floor(((requests.get(name) ?? 0) * Math.max(100, percent)) / 100);
  return propose(context, groups, values, usageOf, missingValue, false);
}

/** Replicas for a target average per pod, in thousandths. `resource` is '' for metrics that are no resource. */
export function replicasForAverage(
  context: PodMetricContext,
  samples: ReadonlyMap<string, HpaSample>,
  target: { readonly resource: string; readonly average: number },
): Proposal {
  requirePods(context.pods);
  const groups = groupPods(context.pods, samples, target.resource === 'cpu', context.settings, context.nowMs);
  const values = valuesOf(samples, groups);
  requireValues(values);
  const usageOf = (): Usage => {
    let total = 0;
    for (const value of values.values()) total += value;
    const average = Math.trunc(total / values.size);
    return { ratio: average / target.average, average };
  };
  return propose(context, groups, values, usageOf, () => target.average, true);
}

function propose(
  { currentReplicas, tolerances }: PodMetricContext,
  groups: Groups,
  values: Map<string, number>,
  usageOf: () => Usage,
  missingValue: (name: string) => number,
  fillsAtTarget: boolean,
): Proposal {
  const { ratio, ...measured } = usageOf();
  const unreadyCount = groups.unready.length > 0 && ratio > 1;
  if (!unreadyCount && groups.missing.length === 0) {
    const replicas = within(ratio, tolerances) ? currentReplicas : toInt32(Math.ceil(ratio * groups.readyCount));
    return { replicas, ...measured };
  }
  // Nobody is scaled on a guess: what is not known is filled in against the direction of the change.
  if (ratio < 1) for (const name of groups.missing) values.set(name, missingValue(name));
  else if (ratio > 1 || fillsAtTarget) for (const name of groups.missing) values.set(name, 0);
  if (unreadyCount) for (const name of groups.unready) values.set(name, 0);
  const filled = usageOf().ratio;
  const turns = (ratio < 1 && filled > 1) || (ratio > 1 && filled < 1);
  if (within(filled, tolerances) || turns) return { replicas: currentReplicas, ...measured };
  const replicas = toInt32(Math.ceil(filled * values.size));
  const isAgainst = (filled < 1 && replicas > currentReplicas) || (filled > 1 && replicas < currentReplicas);
  return { replicas: isAgainst ? currentReplicas : replicas, ...measured };
}

function requirePods(pods: readonly HpaPod[]): void {
  if (pods.length === 0) throw new MetricError('no pods returned by selector while calculating replica count');
}

function requireValues(values: ReadonlyMap<string, number>): void {
  if (values.size === 0) throw new MetricError('did not receive metrics for targeted pods (pods might be unready)');
}

function valuesOf(samples: ReadonlyMap<string, HpaSample>, { ignored, unready }: Groups): Map<string, number> {
  const values = new Map<string, number>();
  for (const [name, sample] of samples) values.set(name, sample.value);
  for (const name of [...ignored, ...unready]) values.delete(name);
  return values;
}

function requestsOf(pods: readonly HpaPod[], resource: string, container: string | undefined): Map<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const whole = container === undefined ? pod.podRequests?.[resource] : undefined;
    if (whole !== undefined) {
      requests.set(pod.name, whole);
      continue;
    }
    let sum = 0;
    for (const { name, requests: own } of pod.containers) {
      if (container !== undefined && name !== container) continue;
      const request = own[resource];
      if (request === undefined) throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${pod.name}`);
      sum += request;
    }
    requests.set(pod.name, sum);
  }
  return requests;
}

// A whole percentage before it is compared, as upstream shows it.
function utilizationOf(values: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>, percent: number): Usage {
  let used = 0;
  let requested = 0;
  let count = 0;
  for (const [name, value] of values) {
    const request = requests.get(name);
    if (request === undefined) continue;
    used += value;
    requested += request;
    count++;
  }
  if (requested === 0) throw new MetricError('no metrics returned matched known pods');
  const utilization = toInt32(Math.trunc((used * 100) / requested));
  return { ratio: utilization / percent, average: Math.trunc(used / count), utilization };
}

/** Replicas for a target total of an object or external metric; at zero replicas the ratio alone decides. */
export function replicasForTotal(
  total: number,
  target: number,
  context: Pick<PodMetricContext, 'pods' | 'currentReplicas' | 'tolerances'>,
): Proposal {
  const ratio = total / target;
  if (context.currentReplicas === 0) return { replicas: toInt32(Math.ceil(ratio)), average: total };
  if (within(ratio, context.tolerances)) return { replicas: context.currentReplicas, average: total };
  try {
    requirePods(context.pods);
  } catch (error) {
    throw new MetricError(`unable to calculate ready pods: ${error instanceof Error ? error.message : ''}`);
  }
  const ready = context.pods.filter((pod) => pod.phase === 'Running' && pod.ready?.status === 'True').length;
  return { replicas: toInt32(Math.ceil(ratio * ready)), average: total };
}

/** Replicas for a target per pod of an object or external metric; `statusReplicas` decides about tolerance only. */
export function replicasForTotalPerPod(total: number, target: number, statusReplicas: number, tolerances: Tolerances): Proposal {
  const ratio = total / (target * statusReplicas);
  const replicas = within(ratio, tolerances) ? statusReplicas : toInt32(Math.ceil(total / target));
  // A sum that no longer fits stands for itself.
  return { replicas, average: total >= 2 ** 63 ? total : Math.ceil(total / statusReplicas) };
}
