import { isFalse, isTrue, manageConditions } from '../api/conditions.ts';
import type { Condition } from '../api/resource.ts';
import { serviceMode } from '../autoscaler/activators.ts';
import { activeType, initializedType, markActive, podAutoscalerConditions } from '../autoscaler/active-condition.ts';
import { explain, explainScale } from '../autoscaler/explain.ts';
import { createMultiScaler, type MultiScaler } from '../autoscaler/multi-scaler.ts';
import type { Decision, Stat } from '../autoscaler/policy.ts';
import { decideScale, type ScaleOutcome } from '../autoscaler/scale.ts';
import { initialScaleOf, makeDeciderSpec, scaleBoundsOf } from '../autoscaler/settings.ts';
import type { Clock } from '../clock.ts';
import { DecisionLog, isPanic } from './decision-log.ts';
import type { Settings } from './options.ts';

const key = 'simulation/revision';
/** A pass whose outcome changes the status makes another one due; more in a row than this would be a loop without end. */
const passesMax = 8;
const progressDeadlineMs = 600_000;

/** What the autoscaler sees of the instances and does to them. */
export interface ScaleTarget {
  readonly readyPods: () => number;
  readonly scaleTo: (replicas: number) => void;
  readonly replicas: () => number;
}

/**
 * The autoscaler of the run: the multi-scaler with its collector, and the passes of the PodAutoscaler reconciler with its
 * conditions, bounds and scale to zero. All of it is the host's code; only the store around it is left out.
 */
export class Scaling {
  readonly log: DecisionLog;
  mode: 'Proxy' | 'Serve' = 'Proxy';
  readonly #settings: Settings;
  readonly #target: ScaleTarget;
  readonly #clock: Clock;
  readonly #scaler: MultiScaler;
  #conditions: readonly Condition[] | undefined;
  /** Since when the activator is in the path; `undefined` while it is not. Whole seconds, as conditions have them. */
  #proxySinceMs: number | undefined;
  #outcome: ScaleOutcome | undefined;
  #passDue = false;
  #requeue: Disposable | undefined;
  #requeueDueMs = Infinity;
  #last: Decision | undefined;

  constructor(settings: Settings, clock: Clock, target: ScaleTarget) {
    this.#settings = settings;
    this.#target = target;
    this.#clock = clock;
    this.log = new DecisionLog(settings.explanations);
    this.#scaler = createMultiScaler({
      clock,
      policy: settings.policy,
      readyPods: () => target.readyPods(),
      onChange: () => void (this.#passDue = true),
      onDecision: (_key, decision, nowMs) => this.#decided(decision, nowMs),
    });
  }

  /** Instances that a new revision begins with. */
  static initialReplicas({ input, config, initialInstances }: Settings): number {
    return initialInstances ?? Math.max(initialScaleOf(input, config), scaleBoundsOf(input, config).min);
  }

  start(): void {
    this.#scaler.ensure(key, makeDeciderSpec(this.#settings.input, this.#settings.config));
    this.pass();
  }

  /** One second of requests. */
  report(stat: Stat): void {
    this.#scaler.record(key, stat, { poke: true });
  }

  /** A request has found no instance at all: decide now. */
  coldStart(): void {
    this.report({ averageConcurrentRequests: 1, averageProxiedConcurrentRequests: 0, requestCount: 0, proxiedRequestCount: 0 });
  }

  /** What the policy looked at last, as far as it tells. */
  get last(): Decision | undefined {
    return this.#last;
  }

  #decided(decision: Decision, nowMs: number): void {
    this.#last = decision;
    if (this.#passDue) this.pass();
    const view = this.#scaler.get(key);
    const atMs = nowMs - this.#settings.startMs;
    this.log.add(
      {
        atMs,
        desired: view?.desiredScale ?? -1,
        replicas: this.#target.replicas(),
        readyPods: this.#target.readyPods(),
        excessBurstCapacity: view?.excessBurstCapacity ?? 0,
        valid: decision.valid,
        panic: isPanic(decision),
        rejected: view?.rejected,
      },
      () => {
        const own = explain(decision, view?.rejected);
        return this.#outcome === undefined ? own : explainScale(own, this.#outcome);
      },
    );
  }

  /** Passes of the reconciler until nothing changes any more. */
  pass(): void {
    this.#passDue = false;
    for (let count = 0; count < passesMax; count++) {
      const before = { conditions: this.#conditions, mode: this.mode, proxySinceMs: this.#proxySinceMs };
      this.#onePass();
      const sameConditions = sameStatuses(before.conditions, this.#conditions);
      if (sameConditions && before.mode === this.mode && before.proxySinceMs === this.#proxySinceMs) return;
    }
  }

  #onePass(): void {
    const { input, config } = this.#settings;
    const nowMs = this.#clock.now();
    const status = this.#scaler.get(key);
    const conditions = manageConditions(podAutoscalerConditions, this.#conditions, nowMs);
    conditions.initialize();
    const outcome = decideScale({
      input,
      config,
      progressDeadlineMs,
      desiredScale: status?.desiredScale ?? -1,
      active: conditions.get(activeType),
      initialized: isTrue(conditions.get(initializedType)),
      mode: this.mode,
      proxyForMs: this.#proxySinceMs === undefined ? 0 : nowMs - this.#proxySinceMs,
      // Every request of the simulation goes through its activator, as in the host.
      probe: () => true,
      nowMs,
    });
    this.#outcome = outcome;
    if (outcome.apply) this.#target.scaleTo(outcome.want);
    this.mode = serviceMode(outcome.want, status?.excessBurstCapacity ?? 0, isFalse(conditions.get(activeType)));
    const readyPods = this.#target.readyPods();
    markActive(conditions, { input, config, want: outcome.want, readyPods, serviceName: key });
    this.#conditions = conditions.conditions;
    const isProxied = this.mode === 'Proxy' || readyPods === 0;
    if (!isProxied) this.#proxySinceMs = undefined;
    else this.#proxySinceMs ??= Math.floor(nowMs / 1_000) * 1_000;
    if (outcome.requeueAfterMs !== undefined) this.#lookAgain(outcome.requeueAfterMs);
  }

  // As the work queue does: of several times to look again the earliest counts.
  #lookAgain(afterMs: number): void {
    const dueMs = this.#clock.now() + afterMs;
    if (dueMs >= this.#requeueDueMs) return;
    this.#requeue?.[Symbol.dispose]();
    this.#requeueDueMs = dueMs;
    this.#requeue = this.#clock.setTimer(afterMs, () => {
      this.#requeueDueMs = Infinity;
      this.pass();
    });
  }
}

function sameStatuses(before: readonly Condition[] | undefined, after: readonly Condition[] | undefined): boolean {
  return before?.length === after?.length && (after ?? []).every(({ status }, index) => before?.[index]?.status === status);
}
