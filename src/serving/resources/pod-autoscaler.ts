import type { Deployment } from '../../api/apps/deployment.ts';
import { autoscalingAnnotations, autoscalingGroup } from '../../api/autoscaling/annotation-keys.ts';
import { podAutoscalers, type PodAutoscaler } from '../../api/autoscaling/pod-autoscaler.ts';
import { findCondition } from '../../api/conditions.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { labelKeys } from '../keys.ts';
import { controllerReference, type StringMap } from '../metadata.ts';
import { deploymentName } from './deployment.ts';
import { protocolOf } from './revision-containers.ts';
import { podAutoscalerAnnotations, revisionChildLabels } from './revision-metadata.ts';

/** The PodAutoscaler of a Revision. */
export function makePodAutoscaler(revision: Revision, deployment: Deployment | undefined): PodAutoscaler {
  const { name, namespace } = revision.metadata;
  const concurrency = revision.spec.containerConcurrency ?? 0;
  return {
    apiVersion: apiVersionOf(podAutoscalers),
    kind: podAutoscalers.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: revisionChildLabels(revision),
      annotations: podAutoscalerAnnotations(revision),
      ownerReferences: [controllerReference(revisions, revision)],
    },
    spec: {
      ...(concurrency !== 0 && { containerConcurrency: concurrency }),
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deploymentName(revision) },
      protocolType: protocolOf(revision),
      reachability: reachabilityOf(revision, deployment),
    },
  };
}

/** Whether routes use the revision; one that has failed without a ready pod counts as unreachable, so that it scales to zero. */
function reachabilityOf(
  revision: Revision,
  deployment: Deployment | undefined,
): NonNullable<PodAutoscaler['spec']['reachability']> {
  const failed = ['ResourcesAvailable', 'ContainerHealthy'].some(
    (type) => findCondition(revision.status?.conditions, type)?.status === 'False',
  );
  if (failed && (deployment?.spec.replicas ?? 0) > 0 && (deployment?.status?.readyReplicas ?? 0) === 0) return 'Unreachable';
  const state = revision.metadata.labels?.[labelKeys.routingState];
  return state === 'active' ? 'Reachable' : state === 'reserve' ? 'Unreachable' : '';
}

/** Annotations that defaulting adds to a PodAutoscaler: another value is a change, an absent one is not. */
const defaultedAnnotations = new Set<string>([...autoscalingAnnotations.class, ...autoscalingAnnotations.metric]);

/** True when the stored autoscaling annotations differ from the wanted ones in a way that counts. */
export function annotationsDiffer(current: StringMap | undefined, desired: StringMap | undefined): boolean {
  for (const key in current) {
    if (key.startsWith(autoscalingGroup) && !defaultedAnnotations.has(key) && desired?.[key] === undefined) return true;
  }
  for (const key in desired) {
    const value = current?.[key];
    if (value === undefined ? !defaultedAnnotations.has(key) : value !== desired[key]) return true;
  }
  return false;
}

/** The stored annotations with the wanted ones in place; autoscaling annotations that are not wanted any more go. */
export function syncAnnotations(current: StringMap | undefined, desired: StringMap | undefined): Record<string, string> {
  const kept = Object.entries(current ?? {}).filter(
    ([key]) => !key.startsWith(autoscalingGroup) || defaultedAnnotations.has(key),
  );
  return { ...Object.fromEntries(kept), ...desired };
}
