import { defaultAutoscalerConfig, parseAutoscalerConfig, type AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import type { Policy } from '../autoscaler/policy.ts';
import { kpa } from '../autoscaler/policies/kpa-options.ts';
import type { ScalingInput } from '../autoscaler/settings.ts';
import { durationMs, type Duration } from '../duration.ts';
import { KnativeError } from '../errors.ts';
import type { PickingPolicy } from '../serving/data-plane/instance-picking.ts';
import { toDistribution, type Distribution, type DistributionInput } from './distribution.ts';
import { durationFrom, numberIn, optionFault, wholeIn } from './fault.ts';
import { lengthOf, startOf, type Load } from './load.ts';

/** What breaks. */
export interface FailureOptions {
  /** Mean time until a ready instance breaks; its requests fail, and it starts again. Default: never. */
  readonly instanceEvery?: Duration;
  /** Share of starts that fail and are repeated after 10 s, then 20 s and so on up to 5 minutes. Default 0. */
  readonly startFailure?: number;
}

/** Starts that take much longer than usual: a node that must load the image first. */
export interface SlowStartOptions {
  readonly share: number;
  readonly factor: number;
}

/** What instances and requests cost, in any currency. */
export interface Prices {
  readonly instanceHour?: number;
  readonly millionRequests?: number;
}

/** Names shared by the options of one simulation. Durations take `'30s'`, `'PT30S'` or milliseconds. */
export interface SimulationOptions {
  /** For tables and reports. Default: the policy's name. */
  readonly name?: string;
  readonly load: Load;
  /** Default: the KPA with the settings of `annotations` and `config`. */
  readonly policy?: Policy;
  /**
   * Instead of a policy: a request that finds no room starts an instance at once, and an instance ends after being idle for
   * `keepAlive`, as function platforms do.
   */
  readonly scalePerRequest?: { readonly keepAlive: Duration };
  /** Time a request takes once it has its place. Default 100 ms. */
  readonly serviceTime?: DistributionInput;
  /** From the wish for an instance until it takes requests. Default 2 s. */
  readonly coldStart?: DistributionInput;
  /** Default: as long as a recorded load; must be given for others. */
  readonly duration?: Duration;
  /** Requests at a time per instance, 0 for no limit. Default 0. */
  readonly containerConcurrency?: number;
  /** Requests that an instance works on at full speed; with more in it each takes proportionally longer. Default: no limit. */
  readonly parallelism?: number;
  /** Annotations of the revision, without `autoscaling.knative.dev/`: `{ 'max-scale': '5' }`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Data of `config-autoscaler`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Default: upstream's choice by containerConcurrency. `newest-idle-first` takes the instance that got room last. */
  readonly picking?: PickingPolicy | 'newest-idle-first';
  /** Which instances go first when there are too many: `newest` (default), as Kubernetes does, or the one idle for longest. */
  readonly scaleDown?: 'newest' | 'longest-idle';
  /** Requests that may wait; more are rejected. Default 100,000. */
  readonly queueDepth?: number;
  /** A request that takes longer, waiting included, is cut off. Default 300 s, as `revision-timeout-seconds`. */
  readonly timeout?: Duration;
  readonly failures?: FailureOptions;
  readonly slowStarts?: SlowStartOptions;
  /** Instances that machine or cluster can hold; more stay pending. Default 10,000, at most 32,768. */
  readonly instancesMax?: number;
  /** Ready instances at the start. Default: the initial scale. */
  readonly initialInstances?: number;
  readonly prices?: Prices;
  /** One seed gives one run. Default 1. Arrivals and service times depend on nothing else, so that policies meet the same requests. */
  readonly seed?: number;
  /** Wall clock at the start: milliseconds since the epoch or an ISO 8601 text. Default: that of the trace, else 2023-11-14T22:13:20Z. */
  readonly startTime?: number | string;
  /** Distance of the rows of the time series, in whole seconds. Default: 1 s, more for runs of more than an hour. */
  readonly sampleInterval?: Duration;
  /** Keep the reasons of every decision (default true). Off saves a few percent. */
  readonly explanations?: boolean;
  /** Told the share that is done, about a hundred times. */
  readonly onProgress?: (share: number) => void;
}

/** Options with everything filled in and checked. */
export interface Settings {
  readonly name: string;
  readonly load: Load;
  readonly policy: Policy;
  readonly keepAliveMs: number | undefined;
  readonly serviceTime: Distribution;
  readonly coldStart: Distribution;
  readonly durationMs: number;
  readonly containerConcurrency: number;
  readonly parallelism: number;
  readonly input: ScalingInput;
  readonly config: AutoscalerConfig;
  readonly picking: PickingPolicy | 'newest-idle-first' | undefined;
  readonly scaleDown: 'newest' | 'longest-idle';
  readonly queueDepth: number;
  readonly timeoutMs: number;
  readonly crashEveryMs: number;
  readonly startFailure: number;
  readonly slowStarts: SlowStartOptions;
  readonly instancesMax: number;
  readonly initialInstances: number | undefined;
  readonly prices: Prices;
  readonly seed: number;
  readonly startMs: number;
  readonly sampleMs: number;
  readonly explanations: boolean;
  readonly onProgress: ((share: number) => void) | undefined;
}

const annotationPrefix = 'autoscaling.knative.dev/';
const startDefaultMs = 1_700_000_000_000;
const rowsMax = 3_600;

/** Fills in defaults; throws `SIMULATOR_INVALID_OPTION` for what cannot be. */
export function resolveOptions(options: SimulationOptions): Settings {
  const runMs = options.duration === undefined ? lengthOf(options.load) : durationFrom(options.duration, 'duration', 1_000);
  if (runMs === undefined) throw optionFault('duration', 'is missing: this load has no end of its own', "give duration: '10m'");
  if (options.policy !== undefined && options.scalePerRequest !== undefined) {
    throw optionFault('scalePerRequest', 'and policy exclude one another');
  }
  const containerConcurrency = wholeIn(options.containerConcurrency ?? 0, 'containerConcurrency', 0, 1_000_000);
  const keepAlive = options.scalePerRequest?.keepAlive;
  const policy = options.policy ?? kpa();
  return {
    name: options.name ?? (keepAlive === undefined ? policy.name : 'scale per request'),
    load: options.load,
    policy,
    keepAliveMs: keepAlive === undefined ? undefined : durationFrom(keepAlive, 'scalePerRequest.keepAlive', 0),
    serviceTime: toDistribution(options.serviceTime ?? 100, 'serviceTime'),
    coldStart: toDistribution(options.coldStart ?? 2_000, 'coldStart'),
    durationMs: Math.ceil(runMs / 1_000) * 1_000,
    containerConcurrency,
    parallelism: options.parallelism === undefined ? Infinity : numberIn(options.parallelism, 'parallelism', 0.01),
    input: { annotations: annotationsOf(options.annotations), containerConcurrency },
    config: configOf(options.config),
    picking: options.picking,
    scaleDown: options.scaleDown ?? 'newest',
    queueDepth: wholeIn(options.queueDepth ?? 100_000, 'queueDepth', 0),
    timeoutMs: durationFrom(options.timeout ?? 300_000, 'timeout', 1),
    crashEveryMs:
      options.failures?.instanceEvery === undefined
        ? Infinity
        : durationFrom(options.failures.instanceEvery, 'failures.instanceEvery', 1),
    startFailure: numberIn(options.failures?.startFailure ?? 0, 'failures.startFailure', 0, 0.99),
    slowStarts: {
      share: numberIn(options.slowStarts?.share ?? 0, 'slowStarts.share', 0, 1),
      factor: numberIn(options.slowStarts?.factor ?? 1, 'slowStarts.factor', 0),
    },
    instancesMax: wholeIn(options.instancesMax ?? 10_000, 'instancesMax', 1, 32_768),
    initialInstances:
      options.initialInstances === undefined ? undefined : wholeIn(options.initialInstances, 'initialInstances', 0, 32_768),
    prices: options.prices ?? {},
    seed: options.seed ?? 1,
    startMs: startMsOf(options),
    sampleMs: sampleMsOf(options.sampleInterval, runMs),
    explanations: options.explanations ?? true,
    onProgress: options.onProgress,
  };
}

function annotationsOf(short: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(short).map(([name, value]) => [name.includes('/') ? name : annotationPrefix + name, value]),
  );
}

function configOf(data: Readonly<Record<string, string>> | undefined): AutoscalerConfig {
  if (data === undefined) return defaultAutoscalerConfig();
  const parsed = parseAutoscalerConfig(data);
  if ('error' in parsed) throw new KnativeError('SIMULATOR_INVALID_OPTION', `config: ${parsed.error}`, { path: 'config' });
  return parsed.config;
}

function startMsOf({ startTime, load }: SimulationOptions): number {
  if (startTime === undefined) return startOf(load) ?? startDefaultMs;
  const startMs = typeof startTime === 'number' ? startTime : Date.parse(startTime);
  if (Number.isFinite(startMs)) return startMs;
  throw optionFault('startTime', `is no time: ${String(startTime)}`, "give ISO 8601, such as '2026-03-02T08:00:00Z'");
}

function sampleMsOf(interval: Duration | undefined, runMs: number): number {
  if (interval === undefined) return Math.max(1, Math.ceil(runMs / rowsMax / 1_000)) * 1_000;
  const ms = durationMs(interval, 'sampleInterval');
  if (ms >= 1_000 && ms % 1_000 === 0) return ms;
  throw optionFault('sampleInterval', `must be whole seconds, got ${ms} ms`);
}
