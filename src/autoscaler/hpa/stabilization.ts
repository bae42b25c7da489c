import type { HpaScalingRules, HpaSettings, HpaSpec } from './hpa-input.ts';

interface Recommendation {
  replicas: number;
  atMs: number;
}
interface ScaleEvent {
  change: number;
  atMs: number;
  outdated: boolean;
}

/** What the HPA controller remembers about one autoscaler. */
export interface HpaMemory {
  recommendations: Recommendation[] | undefined;
  readonly scaleUps: ScaleEvent[];
  readonly scaleDowns: ScaleEvent[];
}

export function createHpaMemory(): HpaMemory {
  return { recommendations: undefined, scaleUps: [], scaleDowns: [] };
}

/** The first pass takes the present count as a recommendation, so that a new controller does not scale down for a window. */
export function rememberFirst(memory: HpaMemory, replicas: number, nowMs: number): void {
  memory.recommendations ??= [{ replicas, atMs: nowMs }];
}

export interface Normalized {
  readonly replicas: number;
  /** Reason and message of AbleToScale. */
  readonly able: readonly [string, string];
  readonly limited: boolean;
  /** Reason and message of ScalingLimited. */
  readonly limit: readonly [string, string];
}

const readyForNewScale = ['ReadyForNewScale', 'recommended size matches current size'] as const;
const downStabilized = [
  'ScaleDownStabilized',
  'recent recommendations were higher than current one, applying the highest recent recommendation',
] as const;
const upStabilized = [
  'ScaleUpStabilized',
  'recent recommendations were lower than current one, applying the lowest recent recommendation',
] as const;
const inRange = ['DesiredWithinRange', 'the desired count is within the acceptable range'] as const;
const upLimited = ['ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate'] as const;
const downLimited = ['ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate'] as const;
const tooMany = ['TooManyReplicas', 'the desired replica count is more than the maximum replica count'] as const;
const tooFew = ['TooFewReplicas', 'the desired replica count is less than the minimum replica count'] as const;

export interface NormalizeInput {
  readonly spec: HpaSpec;
  readonly settings: HpaSettings;
  readonly minReplicas: number;
  readonly current: number;
  readonly desired: number;
  readonly nowMs: number;
}

/** Stabilizes and limits what the metrics ask for, and remembers the unstabilized wish. */
export function normalize(memory: HpaMemory, input: NormalizeInput): Normalized {
  const { behavior } = input.spec;
  if (behavior?.scaleUp === undefined || behavior.scaleDown === undefined) return normalizePlainly(memory, input);
  return normalizeByRules(memory, input, behavior.scaleUp, behavior.scaleDown);
}

// An old entry makes room for the new one in place, as upstream does: which old entries are left matters after a change of windows.
function remember(memory: HpaMemory, recommendation: Recommendation, isOld: (atMs: number) => boolean): void {
  const list = (memory.recommendations ??= []);
  const oldest = list.findLastIndex(({ atMs }) => isOld(atMs));
  if (oldest < 0) list.push(recommendation);
  else list[oldest] = recommendation;
}

function normalizePlainly(memory: HpaMemory, input: NormalizeInput): Normalized {
  const { desired, current, minReplicas, nowMs, spec } = input;
  const cutoffMs = nowMs - input.settings.downscaleStabilizationMs;
  let stabilized = desired;
  for (const { replicas, atMs } of memory.recommendations ?? [])
    if (atMs >= cutoffMs) stabilized = Math.max(stabilized, replicas);
  remember(memory, { replicas: desired, atMs: nowMs }, (atMs) => atMs < cutoffMs);
  // Protects against a bogus metric that asks for very many at once.
  const rateLimit = Math.max(2 * current, 4);
  const most = Math.min(spec.maxReplicas, rateLimit);
  const [replicas, limit] =
    stabilized < minReplicas
      ? [minReplicas, tooFew]
      : stabilized > most
        ? [most, spec.maxReplicas > rateLimit ? upLimited : tooMany]
        : [stabilized, inRange];
  const able = stabilized === desired ? readyForNewScale : downStabilized;
  return { replicas, able, limited: replicas !== stabilized, limit };
}

function normalizeByRules(memory: HpaMemory, input: NormalizeInput, up: HpaScalingRules, down: HpaScalingRules): Normalized {
  const { desired, current, nowMs } = input;
  const upCutoffMs = nowMs - (up.stabilizationWindowSeconds ?? 0) * 1_000;
  const downWindowMs =
    down.stabilizationWindowSeconds === undefined
      ? input.settings.downscaleStabilizationMs
      : down.stabilizationWindowSeconds * 1_000;
  const downCutoffMs = nowMs - downWindowMs;
  let lowest = desired;
  let highest = desired;
  for (const { replicas, atMs } of memory.recommendations ?? []) {
    if (atMs > upCutoffMs) lowest = Math.min(lowest, replicas);
    if (atMs > downCutoffMs) highest = Math.max(highest, replicas);
  }
  remember(memory, { replicas: desired, atMs: nowMs }, (atMs) => atMs < upCutoffMs && atMs < downCutoffMs);
  const stabilized = Math.min(Math.max(current, lowest), highest);
  const able = stabilized === desired ? readyForNewScale : desired >= current ? upStabilized : downStabilized;
  const [replicas, limit] = limitByRate(memory, input, stabilized, up, down);
  return { replicas, able, limited: replicas !== stabilized, limit };
}

function limitByRate(
  memory: HpaMemory,
  { spec, current, minReplicas, nowMs }: NormalizeInput,
  stabilized: number,
  up: HpaScalingRules,
  down: HpaScalingRules,
): readonly [number, readonly [string, string]] {
  if (stabilized > current) {
    // A limit never turns the direction: events of the period may already exceed what the policies allow.
    const rateLimit = Math.max(current, scaleUpLimit(memory, current, up, nowMs));
    const most = Math.min(spec.maxReplicas, rateLimit);
    if (stabilized > most) return [most, spec.maxReplicas > rateLimit ? upLimited : tooMany];
  } else if (stabilized < current) {
    const rateLimit = Math.min(current, scaleDownLimit(memory, current, down, nowMs));
    const least = Math.max(minReplicas, rateLimit);
    if (stabilized < least) return [least, minReplicas < rateLimit ? downLimited : tooFew];
  }
  return [stabilized, inRange];
}

function changeWithin(events: readonly ScaleEvent[], periodSeconds: number, nowMs: number): number {
  const cutoffMs = nowMs - periodSeconds * 1_000;
  return events.reduce((sum, { change, atMs }) => (atMs > cutoffMs ? sum + change : sum), 0);
}

function atPeriodStart(memory: HpaMemory, current: number, periodSeconds: number, nowMs: number): number {
  return current - changeWithin(memory.scaleUps, periodSeconds, nowMs) + changeWithin(memory.scaleDowns, periodSeconds, nowMs);
}

function scaleUpLimit(memory: HpaMemory, current: number, rules: HpaScalingRules, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(memory, current, periodSeconds, nowMs);
    // Rounded up, since a small percentage of few replicas would otherwise never add one.
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function scaleDownLimit(memory: HpaMemory, current: number, rules: HpaScalingRules, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(memory, current, periodSeconds, nowMs);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** Remembers a scale that was carried out; only autoscalers with rules ever look at it. */
export function rememberScale(memory: HpaMemory, spec: HpaSpec, from: number, to: number, nowMs: number): void {
  if (spec.behavior === undefined) return;
  const [events, rules] = to > from ? [memory.scaleUps, spec.behavior.scaleUp] : [memory.scaleDowns, spec.behavior.scaleDown];
  const longestSeconds = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
  const cutoffMs = nowMs - longestSeconds * 1_000;
  for (const event of events) if (event.atMs < cutoffMs) event.outdated = true;
  const event = { change: Math.abs(to - from), atMs: nowMs, outdated: false };
  const outdated = events.findLastIndex((candidate) => candidate.outdated);
  if (outdated < 0) events.push(event);
  else events[outdated] = event;
}
