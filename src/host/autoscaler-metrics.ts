import type { Decision, Explanation, PodCounts } from '../autoscaler/index.ts';
import type { Attributes, Meter } from '../telemetry/meter.ts';

/**
 * The autoscaler's gauges, under upstream's names: what a decider wants, its spare capacity, and what its windows showed. Source:
 * knative/serving pkg/autoscaler/scaling/autoscaler.go and pkg/reconciler/autoscaling/kpa/metrics.go.
 */
export class AutoscalerMetrics {
  readonly #desired;
  readonly #excess;
  readonly #panic;
  readonly #windows;
  readonly #requested;
  readonly #pods;

  constructor(meter: Meter) {
    const windowsOf = (metric: string, unit: string) => ({
      stable: meter.gauge(`kn.revision.${metric}.stable`, { unit, description: 'Average over the stable window' }),
      panic: meter.gauge(`kn.revision.${metric}.panic`, { unit, description: 'Average over the panic window' }),
      target: meter.gauge(`kn.revision.${metric}.target`, { unit, description: 'Value per instance that is aimed at' }),
    });
    this.#desired = meter.gauge('kn.revision.pods.desired', {
      unit: '{item}',
      description: 'Instances that the autoscaler wants',
    });
    this.#excess = meter.gauge('kn.revision.capacity.excess', {
      unit: '{concurrency}',
      description: 'Spare capacity beyond the burst capacity',
    });
    const podsOf = (name: string, description: string) => meter.gauge(`kn.revision.pods.${name}`, { unit: '{pod}', description });
    this.#requested = podsOf('requested', 'Pods that the autoscaler asked for');
    this.#pods = {
      ready: podsOf('count', 'Pods that are ready'),
      notReady: podsOf('not_ready.count', 'Pods that are not ready'),
      pending: podsOf('pending.count', 'Pods that are pending'),
      terminating: podsOf('terminating.count', 'Pods that are terminating'),
    };
    this.#panic = meter.gauge('kn.revision.panic.mode', { description: '1 while the decider panics' });
    this.#windows = { concurrency: windowsOf('concurrency', '{concurrency}'), rps: windowsOf('rps', '{request}/s') };
  }

  /** Records one valid decision; `explain` is asked for the windows. */
  record(metric: string, attributes: Attributes, decision: Decision, explanation: Explanation | undefined): void {
    this.#desired.record(decision.desired, attributes);
    this.#excess.record(decision.excessBurstCapacity, attributes);
    if (explanation === undefined) return;
    this.#panic.record(explanation.mode === 'panic' ? 1 : 0, attributes);
    const { stableValue, panicValue, targetValue } = explanation.observed;
    const windows = metric === 'rps' ? this.#windows.rps : this.#windows.concurrency;
    if (stableValue !== undefined) windows.stable.record(stableValue, attributes);
    if (panicValue !== undefined) windows.panic.record(panicValue, attributes);
    if (targetValue !== undefined) windows.target.record(targetValue, attributes);
  }

  /** The Pods of a revision now; `requested` is left out while nobody has decided. */
  pods(attributes: Attributes, requested: number | undefined, counts: PodCounts): void {
    if (requested !== undefined && requested >= 0) this.#requested.record(requested, attributes);
    this.#pods.ready.record(counts.ready, attributes);
    this.#pods.notReady.record(counts.notReady, attributes);
    this.#pods.pending.record(counts.pending, attributes);
    this.#pods.terminating.record(counts.terminating, attributes);
  }
}
