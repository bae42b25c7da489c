import { parseQuantity } from '../../quantity.ts';
import { hpaSettingsDefault, type HpaMetricInput, type HpaPod, type HpaSettings, type HpaSpec } from './hpa-input.ts';
import { proposeFor, type MetricContext, type MetricFailure } from './metric-sources.ts';
import type { Tolerances } from './replica-calculator.ts';
import { normalize, rememberFirst, rememberScale, type HpaMemory } from './stabilization.ts';

/** Status, reason and message. */
export type HpaCondition = readonly [status: 'True' | 'False', reason: string, message: string];

/** The status of a HorizontalPodAutoscaler as far as the algorithm writes it. */
export interface HpaStatus {
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly lastScaleMs?: number;
  readonly currentMetrics?: readonly object[];
  readonly conditions: Readonly<Record<string, HpaCondition>>;
}

export const emptyHpaStatus: HpaStatus = { currentReplicas: 0, desiredReplicas: 0, conditions: {} };

/** What one pass looks at. */
export interface HpaPassInput {
  readonly namespace: string;
  readonly spec: HpaSpec;
  readonly status: HpaStatus;
  /** The scale subresource, or why it could not be read. */
  readonly scale:
    { readonly replicas: number; readonly statusReplicas: number; readonly selector: string } | { readonly error: string };
  readonly pods: readonly HpaPod[];
  /** One per entry of `spec.metrics`. */
  readonly metrics: readonly (HpaMetricInput | undefined)[];
  /** Carries a scale out; answers what went wrong, if anything. */
  readonly rescale: (replicas: number) => string | undefined;
  readonly settings?: Partial<HpaSettings>;
  readonly nowMs: number;
}

export interface HpaPass {
  readonly status: HpaStatus;
  readonly scaledTo?: number;
  /** `Type Reason Message`, in order. */
  readonly events: readonly string[];
  readonly error?: string;
}

/**
 * One pass of the Kubernetes HPA controller (autoscaling/v2): the whole algorithm with its conditions, events and errors. Changes
 * `memory` and nothing else. Source: k8s.io/kubernetes pkg/controller/podautoscaler.
 */
export function runHpaPass(memory: HpaMemory, input: HpaPassInput): HpaPass {
  return new Pass(memory, input).run();
}

interface MetricsOutcome {
  /** `undefined`: nothing may be done. */
  readonly desired: number | undefined;
  readonly name: string;
  readonly statuses: readonly object[] | undefined;
  readonly error?: string;
}

class Pass {
  readonly #memory: HpaMemory;
  readonly #input: HpaPassInput;
  readonly #settings: HpaSettings;
  readonly #conditions: Record<string, HpaCondition>;
  readonly #events: string[] = [];
  readonly #reference: string;

  constructor(memory: HpaMemory, input: HpaPassInput) {
    this.#memory = memory;
    this.#input = input;
    this.#settings = { ...hpaSettingsDefault, ...input.settings };
    this.#conditions = { ...input.status.conditions };
    const { kind, name } = input.spec.scaleTargetRef;
    this.#reference = `${kind}/${input.namespace}/${name}`;
  }

  run(): HpaPass {
    const { scale, spec, nowMs } = this.#input;
    const { kind, apiVersion = '' } = spec.scaleTargetRef;
    if (apiVersion.split('/').length > 2) {
      const text = `unexpected GroupVersion string: ${apiVersion}`;
      return this.#failedGetScale(text, `invalid API version in scale target reference: ${text}`);
    }
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    if (kind !== 'Deployment' || group !== 'apps') {
      const text = `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`;
      return this.#failedGetScale(text, `unable to determine resource for scale target reference: ${text}`);
    }
    if ('error' in scale) {
      return this.#failedGetScale(scale.error, `failed to query scale subresource for ${this.#reference}: ${scale.error}`);
    }
    this.#set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    const current = scale.replicas;
    rememberFirst(this.#memory, current, nowMs);
    const minReplicas = spec.minReplicas ?? 1;
    if (current === 0 && minReplicas !== 0) {
      const message = 'scaling is disabled since the replica count of the target is zero';
      this.#set('ScalingActive', 'False', 'ScalingDisabled', message);
      return this.#result(current, current, undefined);
    }
    // Outside of the bounds nothing else matters, neither stabilization nor policies.
    if (current > spec.maxReplicas) {
      return this.#rescale(current, spec.maxReplicas, 'Current number of replicas above Spec.MaxReplicas', undefined);
    }
    if (current < minReplicas) {
      return this.#rescale(current, minReplicas, 'Current number of replicas below Spec.MinReplicas', undefined);
    }
    return this.#byMetrics(current, scale.statusReplicas, scale.selector, minReplicas);
  }

  #failedGetScale(text: string, error: string): HpaPass {
    this.#events.push(`Warning FailedGetScale ${text}`);
    this.#set(
      'AbleToScale',
      'False',
      'FailedGetScale',
      `the HPA controller was unable to get the target's current scale: ${text}`,
    );
    return { status: { ...this.#input.status, conditions: this.#conditions }, events: this.#events, error };
  }

  #byMetrics(current: number, statusReplicas: number, selector: string, minReplicas: number): HpaPass {
    const outcome = this.#evaluate(current, statusReplicas, selector);
    if (outcome.desired === undefined) {
      this.#events.push(`Warning FailedComputeMetricsReplicas ${outcome.error}`);
      const error = `failed to compute desired number of replicas based on listed metrics for ${this.#reference}: ${outcome.error}`;
      return this.#result(current, this.#input.status.desiredReplicas, outcome.statuses, { error });
    }
    const wanted = Math.max(0, outcome.desired);
    const metricName = outcome.desired > 0 ? outcome.name : '';
    const reason = wanted > current ? `${metricName} above target` : wanted < current ? 'All metrics below target' : '';
    const { spec, nowMs } = this.#input;
    const settings = this.#settings;
    const normalized = normalize(this.#memory, { spec, settings, minReplicas, current, desired: wanted, nowMs });
    this.#set('AbleToScale', 'True', ...normalized.able);
    this.#set('ScalingLimited', normalized.limited ? 'True' : 'False', ...normalized.limit);
    const failure = outcome.error === undefined ? {} : { error: outcome.error };
    return normalized.replicas === current
      ? this.#result(current, current, outcome.statuses, failure)
      : this.#rescale(current, normalized.replicas, reason, outcome.statuses, failure);
  }

  #evaluate(current: number, statusReplicas: number, selector: string): MetricsOutcome {
    if (selector === '') {
      this.#events.push('Warning SelectorRequired selector is required');
      this.#set('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector");
      return { desired: undefined, name: '', statuses: undefined, error: 'selector is required' };
    }
    const specs = this.#input.spec.metrics ?? [];
    const context = this.#context(current, statusReplicas);
    const failures: MetricFailure[] = [];
    let desired = 0;
    let name = '';
    const statuses = specs.map((spec, index) => {
      const proposal = proposeFor(spec, this.#input.metrics[index], context);
      if ('reason' in proposal) {
        this.#events.push(`Warning ${proposal.reason} ${proposal.message}`);
        failures.push(proposal);
        return { type: '' };
      }
      if (desired === 0 || proposal.replicas > desired) ({ replicas: desired, name } = proposal);
      return proposal.status;
    });
    const first = failures[0];
    const error =
      first === undefined
        ? undefined
        : `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.error}`;
    // What the failing ones would have asked for is not known, so the others may add replicas but not take any.
    if (first !== undefined && error !== undefined && (failures.length >= specs.length || desired < current)) {
      this.#set('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.message}`);
      return { desired: undefined, name: '', statuses, error };
    }
    const message = `the HPA was able to successfully calculate a replica count from ${name}`;
    this.#set('ScalingActive', 'True', 'ValidMetricFound', message);
    return { desired, name, statuses, ...(error === undefined ? {} : { error }) };
  }

  #context(currentReplicas: number, statusReplicas: number): MetricContext {
    const { namespace, pods, nowMs } = this.#input;
    return { namespace, pods, nowMs, currentReplicas, statusReplicas, settings: this.#settings, tolerances: this.#tolerances() };
  }

  #tolerances(): Tolerances {
    const { behavior } = this.#input.spec;
    const own = (quantity: string | number | undefined): number => {
      const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
      return parsed === undefined ? this.#settings.tolerance : Number(parsed.nanos) / 1e9;
    };
    return { up: own(behavior?.scaleUp?.tolerance), down: own(behavior?.scaleDown?.tolerance) };
  }

  #rescale(
    current: number,
    replicas: number,
    reason: string,
    statuses: readonly object[] | undefined,
    failure: { error?: string } = {},
  ): HpaPass {
    const problem = this.#input.rescale(replicas);
    if (problem !== undefined) {
      this.#events.push(`Warning FailedRescale New size: ${replicas}; reason: ${reason}; error: ${problem}`);
      const message = `the HPA controller was unable to update the target scale: ${problem}`;
      this.#set('AbleToScale', 'False', 'FailedUpdateScale', message);
      const error = `failed to rescale ${this.#reference}: ${problem}`;
      return this.#result(current, this.#input.status.desiredReplicas, statuses, { error });
    }
    const message = `the HPA controller was able to update the target scale to ${replicas}`;
    this.#set('AbleToScale', 'True', 'SucceededRescale', message);
    this.#events.push(`Normal SuccessfulRescale New size: ${replicas}; reason: ${reason}`);
    rememberScale(this.#memory, this.#input.spec, current, replicas, this.#input.nowMs);
    const result = this.#result(current, replicas, statuses, failure);
    return { ...result, status: { ...result.status, lastScaleMs: this.#input.nowMs }, scaledTo: replicas };
  }

  #result(
    currentReplicas: number,
    desiredReplicas: number,
    statuses: readonly object[] | undefined,
    failure: { error?: string } = {},
  ): HpaPass {
    const { lastScaleMs } = this.#input.status;
    return {
      status: {
        currentReplicas,
        desiredReplicas,
        ...(lastScaleMs === undefined ? {} : { lastScaleMs }),
        ...(statuses === undefined ? {} : { currentMetrics: statuses }),
        conditions: this.#conditions,
      },
      events: this.#events,
      ...failure,
    };
  }

  #set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    this.#conditions[type] = [status, reason, message];
  }
}
