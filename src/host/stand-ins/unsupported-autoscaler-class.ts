import { podAutoscalers, type PodAutoscaler } from '../../api/autoscaling/pod-autoscaler.ts';
import { kpaClass } from '../../api/autoscaling/annotation-keys.ts';
import { manageConditions } from '../../api/conditions.ts';
import type { Reconciler } from '../../api/reconciler.ts';
import { autoscalerClassOf, podAutoscalerConditions } from '../../autoscaler/index.ts';

/**
 * Says on PodAutoscalers of a class that nobody runs here (the HPA's needs a cluster's metrics) that this is so; their Revision
 * then fails with it instead of waiting for ever.
 */
export const unsupportedAutoscalerClassReconciler: Reconciler<PodAutoscaler> = {
  name: 'unsupported-autoscaler-class',
  kind: podAutoscalers,
  reconcile(podAutoscaler, _world, nowMs) {
    const { annotations, generation } = podAutoscaler.metadata;
    const className = autoscalerClassOf(annotations === undefined ? {} : { annotations });
    if (className === kpaClass) return { writes: [] };
    const conditions = manageConditions(podAutoscalerConditions, podAutoscaler.status?.conditions, nowMs);
    conditions.initialize();
    conditions.markFalse(
      'Active',
      'AutoscalerClassNotSupported',
      `Autoscaler class ${JSON.stringify(className)} does not run on this host: use ${kpaClass}, or a policy of your own by the host's policyFor.`,
    );
    return {
      writes: [],
      status: {
        ...podAutoscaler.status,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        conditions: conditions.conditions,
      },
    };
  },
};
