import type { Reconciler } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';
import { configurationReconciler } from './configuration.ts';
import { domainMappingReconciler } from './domain-mapping.ts';
import { garbageCollectorReconciler } from './garbage-collector.ts';
import { labelerReconciler } from './labeler.ts';
import { revisionReconciler } from './revision.ts';
import { routeReconciler } from './route.ts';
import { serverlessServiceReconciler } from './serverless-service.ts';
import { serviceReconciler } from './service.ts';

/** A list of reconcilers of different kinds. */
function anyReconciler<R extends Resource>(reconciler: Reconciler<R>): Reconciler {
  return reconciler as unknown as Reconciler;
}

/**
 * Every reconciler of Knative Serving but those of the PodAutoscaler (module `autoscaler`) and of the Ingress, which belongs to
 * the networking layer: `localIngressReconciler` in a host, the layer's own controller on a cluster.
 */
export const servingReconcilers: readonly Reconciler[] = [
  anyReconciler(serviceReconciler),
  anyReconciler(configurationReconciler),
  anyReconciler(revisionReconciler),
  anyReconciler(routeReconciler),
  anyReconciler(labelerReconciler),
  anyReconciler(garbageCollectorReconciler),
  anyReconciler(serverlessServiceReconciler),
  anyReconciler(domainMappingReconciler),
];
