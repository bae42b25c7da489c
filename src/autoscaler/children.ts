import { autoscalingAnnotations } from '../api/autoscaling/annotation-keys.ts';
import { metrics, type Metric } from '../api/autoscaling/metric.ts';
import { podAutoscalers, type PodAutoscaler } from '../api/autoscaling/pod-autoscaler.ts';
import { apiVersionOf } from '../api/kind.ts';
import { serverlessServices, type ServerlessService } from '../api/networking/serverless-service.ts';
import type { ObjectMeta, OwnerReference, Resource } from '../api/resource.ts';
import type { DeciderSpec } from './policy.ts';

const nanosecondsPerMs = 1_000_000;

/** The reference that makes a PodAutoscaler the controller of a child. */
function ownedBy(podAutoscaler: PodAutoscaler): OwnerReference {
  return {
    apiVersion: apiVersionOf(podAutoscalers),
    kind: podAutoscalers.kind,
    name: podAutoscaler.metadata.name,
    uid: podAutoscaler.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

function childMeta(podAutoscaler: PodAutoscaler, annotations: Record<string, string>): ObjectMeta {
  const { name, namespace, labels } = podAutoscaler.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...labels },
    annotations,
    ownerReferences: [ownedBy(podAutoscaler)],
  };
}

export function isControlledBy(child: Resource, owner: Resource): boolean {
  return child.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid === owner.metadata.uid;
}

/** The ServerlessService of a PodAutoscaler: same name, labels and annotations but for the metric's. */
export function makeServerlessService(
  podAutoscaler: PodAutoscaler,
  mode: 'Proxy' | 'Serve',
  numActivators: number,
): ServerlessService {
  const annotations = { ...podAutoscaler.metadata.annotations };
  delete annotations[autoscalingAnnotations.metric[0]];
  return {
    apiVersion: apiVersionOf(serverlessServices),
    kind: serverlessServices.kind,
    metadata: childMeta(podAutoscaler, annotations),
    spec: {
      mode,
      objectRef: podAutoscaler.spec.scaleTargetRef,
      protocolType: podAutoscaler.spec.protocolType === 'h2c' ? 'h2c' : 'http1',
      numActivators,
    },
  };
}

/** The Metric of a PodAutoscaler: its windows, and the service whose instances are asked ('' for none). */
export function makeMetric(podAutoscaler: PodAutoscaler, spec: DeciderSpec, scrapeTarget: string): Metric {
  return {
    apiVersion: apiVersionOf(metrics),
    kind: metrics.kind,
    metadata: childMeta(podAutoscaler, { ...podAutoscaler.metadata.annotations }),
    spec: {
      stableWindow: Math.round(spec.stableWindowMs * nanosecondsPerMs),
      panicWindow: Math.round(spec.panicWindowMs * nanosecondsPerMs),
      scrapeTarget,
    },
  };
}
