import type { Aggregation } from './windows/window.ts';

/** What a sample says: the four columns that queue-proxies and activators report once a second. */
export interface Stat {
  /** Requests in flight on average over the reporting period. */
  readonly averageConcurrentRequests: number;
  /** The part of them that came through an activator, which has counted them already. */
  readonly averageProxiedConcurrentRequests: number;
  /** Requests that arrived in the reporting period. */
  readonly requestCount: number;
  /** The part of them that came through an activator. */
  readonly proxiedRequestCount: number;
}

/** How one revision is to be scaled: the spec of upstream's Decider, together with what its Metric asks for. */
export interface DeciderSpec {
  /** Most pods per ready pod after one decision (`max-scale-up-rate`). */
  readonly maxScaleUpRate: number;
  /** Ready pods are divided by this at most in one decision (`max-scale-down-rate`). */
  readonly maxScaleDownRate: number;
  /** `rps`, or anything else for concurrency. */
  readonly scalingMetric: string;
  /** Value of the metric per pod to aim at. */
  readonly targetValue: number;
  /** Value of the metric that a pod can take at most. */
  readonly totalValue: number;
  /** Spare capacity to hold; negative keeps the activator in the path always, 0 only at scale zero. */
  readonly targetBurstCapacity: number;
  /** Requests at a time per activator. */
  readonly activatorCapacity: number;
  /** Panic mode begins when the panic window asks for this many times the ready pods. */
  readonly panicThreshold: number;
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  readonly aggregation: 'linear' | 'weighted-exponential';
  /** A decision to scale down waits this long; 0 for none. */
  readonly scaleDownDelayMs: number;
  readonly initialScale: number;
  /** Whether a route refers to the revision. */
  readonly reachable: boolean;
  /** Fewest pods when there is any load; 0 or 1 for none. */
  readonly activationScale: number;
  /** Requests at a time that an instance takes, 0 for no limit. */
  readonly containerConcurrency: number;
  /** Whether instances report themselves; without it the absence of data means no load instead of no knowledge. */
  readonly scraped: boolean;
}

/** One window that a policy wants to be kept. */
export interface MetricRequest {
  readonly metric: 'concurrency' | 'rps';
  readonly windowMs: number;
  readonly aggregation: Aggregation;
}

/** What a policy may look at. Shared and reused: valid during the call only. */
export interface Observation {
  readonly spec: DeciderSpec;
  /** Ready instances; `undefined` when they could not be counted. */
  readonly readyPods: number | undefined;
  /** The aggregate of the policy's request at `index`, as of `nowMs`; 0 when the window has no data. */
  average(index: number, nowMs: number): number;
  /** True when that window has got no data for longer than its length. */
  isEmpty(index: number, nowMs: number): boolean;
}

/** What a policy wants. An object may be reused by the next `decide` on the same state: copy what you keep. */
export interface Decision {
  /** Instances wanted, a whole number of 0 or more. */
  readonly desired: number;
  /** Spare capacity beyond the burst capacity, whole; negative puts the activator into the path. */
  readonly excessBurstCapacity: number;
  /** False: there was not enough to decide on, and the last decision stays. */
  readonly valid: boolean;
  /** Look again at this time at the latest, instead of at the next tick. */
  readonly nextCheckMs?: number;
  /** Why. Computed when called; `explain` wraps it. */
  explain?(): Explanation;
}

/** A step that changed the number, in order. */
export interface ExplanationStep {
  /** The rule or bound: `max-scale-up-rate`, `panic`, `scale-down-delay`, `min-scale` … */
  readonly rule: string;
  readonly before: number;
  readonly after: number;
}

/** A decision's reasons as values and as one sentence. */
export interface Explanation {
  readonly policy: string;
  /** `stable`, `panic`, `no-data` and so on, in the policy's own terms. */
  readonly mode: string;
  readonly desired: number;
  readonly observed: Readonly<Record<string, number>>;
  /** What changed the number on its way, empty when nothing did. */
  readonly steps: readonly ExplanationStep[];
  /** Decisions of the policies that this one combines. */
  readonly parts?: readonly Explanation[];
  readonly sentence: string;
}

/**
 * How many instances a revision should have. A policy is ordinary code: pure but for its state, which it may change in place. It
 * reads no clock and no randomness. Bounds, initial scale and scale to zero stand outside, the same for every policy.
 */
export interface Policy<State = unknown> {
  /** For explanations and log lines. */
  readonly name: string;
  /** The windows that it wants; the collector keeps exactly these, in this order. */
  metrics(spec: DeciderSpec): readonly MetricRequest[];
  /** The state of a new decider. Windows are empty then. */
  initial(observation: Observation, nowMs: number): State;
  /** Called at every tick (2 s), and at once when a request comes at scale zero. */
  decide(observation: Observation, state: State, nowMs: number): Decision;
}
