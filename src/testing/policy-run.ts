import { defaultAutoscalerConfig, parseAutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import {
  createMultiScaler,
  explain,
  makeDeciderSpec,
  scaleBoundsOf,
  type Explanation,
  type MultiScaler,
  type Policy,
  type ScalingInput,
} from '../autoscaler/index.ts';
import { createVirtualClock, type VirtualClock } from '../clock.ts';
import { durationMs, type Duration } from '../duration.ts';
import { KnativeError } from '../errors.ts';

/** Load over all instances during one second. */
export interface LoadSample {
  /** Requests in flight on average. */
  readonly concurrency: number;
  /** Requests that arrive. Default: as many as are in flight, as if each took a second. */
  readonly requests?: number;
}

/** A stretch of constant load. */
export interface LoadStep extends LoadSample {
  readonly for: Duration;
}

export interface PolicyRunOptions {
  /** Stretches one after the other, or the load of each second from the start on. */
  readonly load: readonly LoadStep[] | ((second: number) => LoadSample);
  /** Default: as long as the stretches; must be given with a function. */
  readonly duration?: Duration;
  /** Annotations of the revision, without their prefix: `{ 'max-scale': '5' }`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Data of `config-autoscaler`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Requests at a time per instance. Default 0: no limit. */
  readonly containerConcurrency?: number;
  /** Instances that are ready at the start. Default 0. */
  readonly readyPods?: number;
  /** From a wish to a ready instance. Default 0: at the next decision. */
  readonly podStart?: Duration;
  /** Wall-clock time of the start. Default 2023-11-14T22:13:20Z. */
  readonly startMs?: number;
}

/** One decision of a run. */
export interface PolicyTick {
  /** Milliseconds since the start. */
  readonly atMs: number;
  /** What the policy wants, before the bounds; the last good wish where this decision was not valid. -1 before any. */
  readonly desired: number;
  /** What the bounds make of it. */
  readonly replicas: number;
  readonly readyPods: number;
  readonly concurrency: number;
  readonly excessBurstCapacity: number;
  readonly valid: boolean;
  /** Why the policy's answer was refused, `undefined` when it was not. */
  readonly rejected: string | undefined;
  readonly explanation: Explanation | undefined;
}

/** What happened, for assertions. */
export interface PolicyRun {
  readonly ticks: readonly PolicyTick[];
  /** The last decision at or before this time from the start. */
  at(time: Duration): PolicyTick;
  /** Decisions within [from, to]. */
  between(from: Duration, to: Duration): readonly PolicyTick[];
  /** Times and numbers at which `replicas` changed, the first one included. */
  readonly changes: readonly { readonly atMs: number; readonly replicas: number }[];
  readonly maxReplicas: number;
}

const key = 'policy-run/revision';
const annotationPrefix = 'autoscaling.knative.dev/';

/**
 * Runs a policy through a scripted load on a virtual clock, with the real multi-scaler, windows and bounds: a decision every two
 * seconds, and at once when a request comes at scale zero. Hours take milliseconds.
 */
export function runPolicy(policy: Policy, options: PolicyRunOptions): PolicyRun {
  return new Runner(policy, options).run();
}

class Runner {
  readonly #clock: VirtualClock;
  readonly #startMs: number;
  readonly #durationMs: number;
  readonly #loadAt: (second: number) => LoadSample;
  readonly #podStartMs: number;
  readonly #scaler: MultiScaler;
  readonly #bounds: { readonly min: number; readonly max: number };
  readonly #ticks: PolicyTick[] = [];
  #ready: number;
  #replicas: number;
  /** When each instance that is not ready yet will be, in order. */
  #starting: number[] = [];
  #concurrency = 0;

  constructor(policy: Policy, options: PolicyRunOptions) {
    const { load } = options;
    const steps = typeof load === 'function' ? [] : load;
    const lengthMs = steps.reduce((sum, step, index) => sum + durationMs(step.for, `load[${index}].for`), 0);
    if (typeof load === 'function' && options.duration === undefined) {
      throw new KnativeError('AUTOSCALER_INVALID_OPTION', 'runPolicy: a load that is a function needs a duration', {
        path: 'duration',
      });
    }
    this.#durationMs = options.duration === undefined ? lengthMs : durationMs(options.duration, 'duration');
    this.#loadAt = typeof load === 'function' ? load : (second) => stepAt(steps, second * 1_000);
    this.#clock = createVirtualClock(options.startMs);
    this.#startMs = this.#clock.now();
    this.#podStartMs = durationMs(options.podStart ?? 0, 'podStart');
    this.#ready = options.readyPods ?? 0;
    this.#replicas = this.#ready;
    const config = configOf(options.config);
    const annotations = Object.entries(options.annotations ?? {}).map(([name, value]) => [annotationPrefix + name, value]);
    const input: ScalingInput = {
      annotations: Object.fromEntries(annotations) as Record<string, string>,
      containerConcurrency: options.containerConcurrency ?? 0,
    };
    this.#bounds = scaleBoundsOf(input, config);
    this.#scaler = createMultiScaler({
      clock: this.#clock,
      policy,
      readyPods: () => this.#ready,
      onDecision: (_key, { valid }) => this.#observe(valid),
    });
    this.#scaler.ensure(key, makeDeciderSpec(input, config));
  }

  run(): PolicyRun {
    const seconds = Math.floor(this.#durationMs / 1_000);
    for (let second = 0; second < seconds; second++) {
      this.#record(this.#loadAt(second));
      this.#clock.advanceSync(1_000);
    }
    void this.#scaler.close();
    return summarize(this.#ticks);
  }

  #record({ concurrency, requests = concurrency }: LoadSample): void {
    this.#concurrency = concurrency;
    this.#startPods();
    const stat = {
      averageConcurrentRequests: concurrency,
      averageProxiedConcurrentRequests: 0,
      requestCount: requests,
      proxiedRequestCount: 0,
    };
    this.#scaler.record(key, stat, { poke: true });
  }

  // Decisions come from the clock's timers, so instances get ready before each of them.
  #startPods(): void {
    const nowMs = this.#clock.now();
    const due = this.#starting.filter((readyMs) => readyMs <= nowMs).length;
    this.#starting = this.#starting.slice(due);
    this.#ready += due;
  }

  #observe(valid: boolean): void {
    const view = this.#scaler.get(key);
    const decision = this.#scaler.lastDecision(key);
    if (view === undefined) return;
    const readyPods = this.#ready;
    if (view.desiredScale >= 0) this.#scaleTo(bounded(view.desiredScale, this.#bounds));
    this.#ticks.push({
      atMs: this.#clock.now() - this.#startMs,
      desired: view.desiredScale,
      replicas: this.#replicas,
      readyPods,
      concurrency: this.#concurrency,
      excessBurstCapacity: view.excessBurstCapacity,
      valid,
      rejected: view.rejected,
      explanation: decision === undefined ? undefined : explain(decision, view.rejected),
    });
  }

  #scaleTo(replicas: number): void {
    this.#startPods();
    const readyMs = this.#clock.now() + this.#podStartMs;
    for (let count = this.#replicas; count < replicas; count++) this.#starting.push(readyMs);
    for (let count = this.#replicas; count > replicas; count--) {
      // Instances that are not ready yet go first.
      if (this.#starting.pop() === undefined) this.#ready--;
    }
    this.#replicas = replicas;
    this.#startPods();
  }
}

function configOf(data: Readonly<Record<string, string>> | undefined) {
  if (data === undefined) return defaultAutoscalerConfig();
  const parsed = parseAutoscalerConfig(data);
  if ('error' in parsed) throw new KnativeError('AUTOSCALER_INVALID_CONFIG', parsed.error, { path: 'config' });
  return parsed.config;
}

function stepAt(steps: readonly LoadStep[], atMs: number): LoadSample {
  let endMs = 0;
  for (const step of steps) {
    endMs += durationMs(step.for, 'load.for');
    if (atMs < endMs) return step;
  }
  return steps.at(-1) ?? { concurrency: 0 };
}

function bounded(desired: number, { min, max }: { readonly min: number; readonly max: number }): number {
  if (desired < min) return min;
  return max !== 0 && desired > max ? max : desired;
}

function summarize(ticks: readonly PolicyTick[]): PolicyRun {
  const changes: { atMs: number; replicas: number }[] = [];
  for (const { atMs, replicas } of ticks) if (changes.at(-1)?.replicas !== replicas) changes.push({ atMs, replicas });
  return {
    ticks,
    changes,
    maxReplicas: Math.max(0, ...ticks.map(({ replicas }) => replicas)),
    at(time) {
      const atMs = durationMs(time, 'time');
      const tick = ticks.findLast((candidate) => candidate.atMs <= atMs);
      if (tick === undefined) {
        throw new KnativeError('AUTOSCALER_NO_DECISION', `no decision was made within the first ${atMs} ms`, {
          path: 'time',
          hint: 'the first decision comes two seconds after the start',
        });
      }
      return tick;
    },
    between(from, to) {
      const [fromMs, toMs] = [durationMs(from, 'from'), durationMs(to, 'to')];
      return ticks.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    },
  };
}
