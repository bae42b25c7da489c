import type { FactRequest } from '../api/reconciler.ts';
import type { DeciderSpec } from './policy.ts';

/** What a decider currently recommends. */
export interface DeciderStatus {
  /** -1 until its first valid decision. */
  readonly desiredScale: number;
  /** Negative: the activator belongs into the path. */
  readonly excessBurstCapacity: number;
}

/**
 * Fact `decider`, key `namespace/name` of the PodAutoscaler, params the wanted spec. The provider creates the decider on the first
 * read and updates it when the spec differs (`MultiScaler.ensure` does both), answers its status at once, and reports the key as
 * changed whenever the multi-scaler announces a change. Forgetting the key deletes the decider.
 */
export function deciderFact(key: string, spec: DeciderSpec): FactRequest<DeciderStatus> {
  return { provider: deciderProvider, key, params: { spec } satisfies DeciderFactParams };
}
export const deciderProvider = 'decider';
export interface DeciderFactParams {
  readonly spec: DeciderSpec;
}

/**
 * Fact `activator-probe`, key `namespace/name` of the PodAutoscaler: whether a request to the revision's service reaches an
 * activator. Asked only when a target is about to go to zero. While the answer is not true the provider probes in the background
 * (once a second, for 45 seconds) and reports the key as changed when the probe succeeds or gives up; no answer counts as false. An
 * answer of true must not outlive the situation: the provider asks again at the next read, or knows the path itself.
 */
export function activatorProbeFact(key: string, params: ActivatorProbeParams): FactRequest<boolean> {
  return { provider: activatorProbeProvider, key, params };
}
export const activatorProbeProvider = 'activator-probe';
export interface ActivatorProbeParams {
  readonly namespace: string;
  /** Name of the service that requests to the revision go to; '' while it has none, and then nothing can be probed. */
  readonly serviceName: string;
  readonly protocolType: string;
}
export const activatorProbePeriodMs = 1_000;
export const activatorProbeTimeoutMs = 45_000;
