import type { Deployment, DeploymentCondition } from '../../api/apps/deployment.ts';
import type { Pod } from '../../api/core/pod.ts';
import { rfc3339 } from '../../time.ts';
import { isReady } from './pod-state.ts';

export interface DeploymentPods {
  /** Pods of the current template that are not being deleted. */
  readonly current: readonly Pod[];
  /** Pods of earlier templates that are not being deleted. */
  readonly old: readonly Pod[];
}

/** Status of a Deployment as kube-controller-manager reports it, with the conditions Available and Progressing. */
export function deploymentStatus(
  deployment: Deployment,
  { current, old }: DeploymentPods,
  nowMs: number,
): NonNullable<Deployment['status']> {
  const wanted = deployment.spec.replicas ?? 1;
  const ready = current.filter(isReady).length;
  const all = current.length + old.length;
  const available = ready + old.filter(isReady).length;
  const counts = {
    ...(all > 0 ? { replicas: all } : {}),
    ...(current.length > 0 ? { updatedReplicas: current.length } : {}),
    ...(available > 0 ? { readyReplicas: available, availableReplicas: available } : {}),
    ...(wanted > available ? { unavailableReplicas: wanted - available } : {}),
  };
  const complete = ready >= wanted && old.length === 0 && current.length === wanted;
  const conditions = [availability(deployment, available >= wanted, nowMs), progress(deployment, complete, counts, nowMs)];
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...counts,
    conditions,
  };
}

/** When to look again: the end of the progress deadline, `undefined` when none is running. */
export function progressDeadlineMs(deployment: Deployment, status: NonNullable<Deployment['status']>): number | undefined {
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.reason !== 'ReplicaSetUpdated' || progressing.lastUpdateTime === undefined) return undefined;
  return Date.parse(progressing.lastUpdateTime) + (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
}

function availability(deployment: Deployment, available: boolean, nowMs: number): DeploymentCondition {
  return merged(deployment, nowMs, {
    type: 'Available',
    status: available ? 'True' : 'False',
    reason: available ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: available ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
  });
}

function progress(deployment: Deployment, complete: boolean, counts: Record<string, number>, nowMs: number): DeploymentCondition {
  const { name } = deployment.metadata;
  const previous = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  const done = {
    type: 'Progressing',
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: `Deployment "${name}" has successfully progressed.`,
  } as const;
  const sameGeneration = deployment.status?.observedGeneration === deployment.metadata.generation;
  if (complete) return merged(deployment, nowMs, done);
  // Once a template has been rolled out, losing pods or scaling does not start the deadline again.
  if (previous?.reason === 'NewReplicaSetAvailable' && counts['updatedReplicas'] === counts['replicas']) return previous;
  const moved =
    previous === undefined ||
    !sameGeneration ||
    ['updatedReplicas', 'readyReplicas'].some((count) => counts[count] !== statusCount(deployment, count));
  const updating = {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: `Deployment "${name}" is progressing.`,
  } as const;
  if (moved) return { ...merged(deployment, nowMs, updating), lastUpdateTime: rfc3339(nowMs) };
  const sinceMs = nowMs - Date.parse(previous.lastUpdateTime ?? rfc3339(nowMs));
  if (sinceMs >= (deployment.spec.progressDeadlineSeconds ?? 600) * 1000) {
    return merged(deployment, nowMs, {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `Deployment "${name}" has timed out progressing.`,
    });
  }
  return previous;
}

function statusCount(deployment: Deployment, name: string): number | undefined {
  return (deployment.status as Record<string, number | undefined> | undefined)?.[name];
}

function merged(deployment: Deployment, nowMs: number, next: DeploymentCondition): DeploymentCondition {
  const previous = deployment.status?.conditions?.find(({ type }) => type === next.type);
  const now = rfc3339(nowMs);
  if (previous === undefined || previous.status !== next.status) return { ...next, lastUpdateTime: now, lastTransitionTime: now };
  if (previous.reason === next.reason && previous.message === next.message) return previous;
  return { ...next, lastUpdateTime: now, lastTransitionTime: previous.lastTransitionTime ?? now };
}
