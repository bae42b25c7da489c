import { realClock, type Clock } from '../clock.ts';
import { KnativeError, messageOf } from '../errors.ts';
import { silentLogger, type Logger } from '../logger.ts';
import { MetricCollector, type Collection } from './collector.ts';
import { explain } from './explain.ts';
import type { DeciderStatus } from './facts.ts';
import { kpaPolicy } from './policies/kpa.ts';
import type { Decision, DeciderSpec, Explanation, Observation, Policy, Stat } from './policy.ts';

/** Time between two decisions of a decider. */
export const tickIntervalMs = 2_000;

export interface MultiScalerOptions {
  /** Decides when nothing else is said per decider. Default: the KPA. */
  readonly policy?: Policy;
  /** Policy per key; `undefined` takes `policy`. Read once, when the decider is created. */
  readonly policyFor?: (key: string, spec: DeciderSpec) => Policy | undefined;
  /** Ready instances of a revision; `undefined` when they cannot be counted, 0 when there are none or nothing is known. */
  readonly readyPods: (key: string) => number | undefined;
  /** Called when a decider wants another scale or the sign of its excess burst capacity has changed. */
  readonly onChange?: (key: string, status: DeciderStatus) => void;
  /** Called after every decision, valid or not. */
  readonly onDecision?: (key: string, decision: Decision, nowMs: number) => void;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What a decider has come to. */
export interface DeciderView extends DeciderStatus {
  readonly spec: DeciderSpec;
  /** Why the last decision was not taken over, `undefined` when it was. */
  readonly rejected: string | undefined;
}

class Runner implements Observation {
  readonly key: string;
  readonly policy: Policy;
  readonly collection: Collection;
  spec: DeciderSpec;
  readyPods: number | undefined = 0;
  state: unknown;
  desiredScale = -1;
  excessBurstCapacity: number;
  rejected: string | undefined;
  last: Decision | undefined;
  /** Monotonic time of the next regular tick. */
  dueMs = 0;
  deleted = false;
  /** False while the policy could not even make its state. */
  started = false;

  constructor(key: string, spec: DeciderSpec, policy: Policy, collection: Collection) {
    this.key = key;
    this.spec = spec;
    this.policy = policy;
    this.collection = collection;
    this.excessBurstCapacity = initialExcessBurstCapacity(spec);
  }
  average(index: number, nowMs: number): number {
    return this.collection.average(index, nowMs);
  }
  isEmpty(index: number, nowMs: number): boolean {
    return this.collection.isEmpty(index, nowMs);
  }
}

/** Where a new decider's excess burst capacity starts: below 0 when the initial scale cannot cover the burst. */
export function initialExcessBurstCapacity(spec: DeciderSpec): number {
  const burst = spec.targetBurstCapacity;
  return burst === -1 || burst === 0 ? burst : Math.trunc(spec.initialScale * spec.totalValue - burst);
}

/**
 * All deciders of a process: keeps their windows, lets each decide every two seconds from its creation on and at once when a
 * request comes at scale zero, and announces changes. Needs no network and no store: samples are pushed in, ready pods asked for.
 */
export class MultiScaler implements AsyncDisposable {
  /** The windows of every decider, by the same keys. */
  readonly collector = new MetricCollector();
  readonly #options: MultiScalerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #runners = new Map<string, Runner>();
  /** In order of their next tick: all have the same period, so appending after each tick keeps the order. */
  #queue: Runner[] = [];
  #head = 0;
  /** Deciders whose policy asked for a look before their next tick, and its monotonic time. */
  readonly #extra = new Map<Runner, number>();
  #timer: Disposable | undefined;
  #timerDueMs = Infinity;
  #closed = false;

  constructor(options: MultiScalerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Creates the decider of `key`, or gives a present one the new spec; answers its status. */
  ensure(key: string, spec: DeciderSpec): DeciderStatus {
    const runner = this.#runners.get(key) ?? this.#create(key, spec);
    if (!sameSpec(runner.spec, spec)) {
      runner.spec = spec;
      this.#guard(runner, () => runner.collection.update(this.#clock.now(), runner.policy.metrics(spec)));
    }
    return { desiredScale: runner.desiredScale, excessBurstCapacity: runner.excessBurstCapacity };
  }

  #create(key: string, spec: DeciderSpec): Runner {
    if (this.#closed) throw new KnativeError('AUTOSCALER_CLOSED', 'the multi-scaler is closed: no decider can be created');
    const policy = this.#options.policyFor?.(key, spec) ?? this.#options.policy ?? kpaPolicy;
    const nowMs = this.#clock.now();
    const runner = new Runner(key, spec, policy, this.collector.createOrUpdate(key, [], nowMs));
    runner.readyPods = this.#options.readyPods(key) ?? 0;
    this.#start(runner, nowMs);
    runner.dueMs = this.#clock.monotonic() + tickIntervalMs;
    this.#runners.set(key, runner);
    this.#queue.push(runner);
    this.#schedule(runner.dueMs);
    return runner;
  }

  #start(runner: Runner, nowMs: number): void {
    const { policy, spec, collection } = runner;
    runner.started = this.#guard(runner, () => {
      collection.update(nowMs, policy.metrics(spec));
      runner.state = policy.initial(runner, nowMs);
    });
  }

  // Policies are users' code: what they throw is shown and changes nothing.
  #guard(runner: Runner, call: () => void): boolean {
    try {
      call();
      return true;
    } catch (error) {
      this.#reject(runner, `policy ${runner.policy.name} threw: ${messageOf(error)}`);
      return false;
    }
  }

  get(key: string): DeciderView | undefined {
    const runner = this.#runners.get(key);
    if (runner === undefined) return undefined;
    const { desiredScale, excessBurstCapacity, spec, rejected } = runner;
    return { desiredScale, excessBurstCapacity, spec, rejected };
  }

  keys(): Iterable<string> {
    return this.#runners.keys();
  }

  /** Stops the decider and drops its windows. */
  delete(key: string): void {
    const runner = this.#runners.get(key);
    if (runner === undefined) return;
    runner.deleted = true;
    this.#runners.delete(key);
    this.#extra.delete(runner);
    this.collector.delete(key);
  }

  /**
   * Records a sample of a revision, taken at `nowMs` (default: now). `poke` (default false) lets a decider at scale zero decide at
   * once when there is any concurrency: activators report so. Unknown keys are ignored.
   */
  record(key: string, stat: Stat, options: { readonly nowMs?: number; readonly poke?: boolean } = {}): void {
    this.collector.record(key, options.nowMs ?? this.#clock.now(), stat);
    if (options.poke === true) this.poke(key, stat);
  }

  /** Decides at once if the decider's last wish is exactly 0 and the sample shows concurrency; true when it did. */
  poke(key: string, stat: Pick<Stat, 'averageConcurrentRequests'>): boolean {
    const runner = this.#runners.get(key);
    if (runner === undefined || runner.desiredScale !== 0 || stat.averageConcurrentRequests === 0) return false;
    this.#decide(runner, this.#clock.now());
    return true;
  }

  /** Decides now, besides the regular ticks. */
  tick(key: string): Decision | undefined {
    const runner = this.#runners.get(key);
    return runner === undefined ? undefined : this.#decide(runner, this.#clock.now());
  }

  /** What the policy answered last, whether it was taken over or not; valid until the next decision. */
  lastDecision(key: string): Decision | undefined {
    return this.#runners.get(key)?.last;
  }

  /** Why the decider wants what it wants; `undefined` before its first decision. */
  explain(key: string): Explanation | undefined {
    const runner = this.#runners.get(key);
    if (runner === undefined || (runner.last === undefined && runner.rejected === undefined)) return undefined;
    return explain(runner.last ?? nothingDecided, runner.rejected);
  }

  #decide(runner: Runner, nowMs: number): Decision | undefined {
    runner.readyPods = this.#options.readyPods(runner.key);
    if (!runner.started) this.#start(runner, nowMs);
    if (!runner.started) return undefined;
    let decision: Decision;
    try {
      decision = runner.policy.decide(runner, runner.state, nowMs);
    } catch (error) {
      this.#reject(runner, `policy ${runner.policy.name} threw: ${messageOf(error)}`);
      return undefined;
    }
    runner.last = decision;
    const fault = decision.valid ? faultOf(decision) : undefined;
    if (fault !== undefined) this.#reject(runner, `policy ${runner.policy.name} ${fault}`);
    else runner.rejected = undefined;
    if (decision.valid && fault === undefined) this.#take(runner, decision);
    if (decision.nextCheckMs !== undefined) this.#scheduleExtra(runner, decision.nextCheckMs - nowMs);
    this.#options.onDecision?.(runner.key, decision, nowMs);
    return decision;
  }

  #reject(runner: Runner, reason: string): void {
    if (runner.rejected !== reason) this.#logger.error({ key: runner.key, reason }, 'decision refused, the last one stays');
    runner.rejected = reason;
  }

  #take(runner: Runner, decision: Decision): void {
    const changed =
      runner.desiredScale !== decision.desired || runner.excessBurstCapacity < 0 !== decision.excessBurstCapacity < 0;
    runner.desiredScale = decision.desired;
    runner.excessBurstCapacity = decision.excessBurstCapacity;
    if (changed) {
      const { desiredScale, excessBurstCapacity } = runner;
      this.#options.onChange?.(runner.key, { desiredScale, excessBurstCapacity });
    }
  }

  #scheduleExtra(runner: Runner, inMs: number): void {
    const dueMs = this.#clock.monotonic() + Math.max(0, inMs);
    if (!(dueMs < runner.dueMs)) return;
    this.#extra.set(runner, dueMs);
    this.#schedule(dueMs);
  }

  #schedule(dueMs: number): void {
    if (this.#closed || dueMs >= this.#timerDueMs) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.monotonic()), () => this.#runDue());
  }

  #runDue(): void {
    this.#timerDueMs = Infinity;
    this.#timer = undefined;
    this.#tickDue();
    let nextMs = Infinity;
    const first = this.#queue[this.#head];
    if (first !== undefined) nextMs = first.dueMs;
    for (const dueMs of this.#extra.values()) nextMs = Math.min(nextMs, dueMs);
    if (nextMs < Infinity) this.#schedule(nextMs);
  }

  #tickDue(): void {
    const nowMs = this.#clock.now();
    const monotonicMs = this.#clock.monotonic();
    for (;;) {
      const runner = this.#queue[this.#head];
      if (runner === undefined || (!runner.deleted && runner.dueMs > monotonicMs)) break;
      this.#head++;
      if (runner.deleted) continue;
      // A process that was held up skips the ticks it missed instead of repeating them.
      const missed = Math.floor((monotonicMs - runner.dueMs) / tickIntervalMs);
      runner.dueMs += (missed + 1) * tickIntervalMs;
      this.#extra.delete(runner);
      this.#queue.push(runner);
      this.#decide(runner, nowMs);
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    for (const [runner, dueMs] of [...this.#extra]) {
      if (dueMs > monotonicMs) continue;
      this.#extra.delete(runner);
      this.#decide(runner, nowMs);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    for (const key of [...this.#runners.keys()]) this.delete(key);
    this.#queue = [];
    this.#head = 0;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A multi-scaler without deciders; it starts no timer before the first one. */
export function createMultiScaler(options: MultiScalerOptions): MultiScaler {
  return new MultiScaler(options);
}

const nothingDecided: Decision = { desired: -1, excessBurstCapacity: 0, valid: false };

function faultOf({ desired, excessBurstCapacity }: Decision): string | undefined {
  if (!Number.isSafeInteger(desired) || desired < 0) return `wants ${desired} instances, which is no whole number of 0 or more`;
  return Number.isSafeInteger(excessBurstCapacity)
    ? undefined
    : `computed an excess burst capacity of ${excessBurstCapacity}, which is no whole number`;
}

function sameSpec(a: DeciderSpec, b: DeciderSpec): boolean {
  if (a === b) return true;
  const names = Object.keys(a) as (keyof DeciderSpec)[];
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}
