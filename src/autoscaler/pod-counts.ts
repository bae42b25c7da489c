import { pods, type Pod } from '../api/core/pod.ts';
import type { Reader } from '../api/reconciler.ts';

/** Label that ties pods, and everything else of a revision, to it. */
export const revisionLabel = 'serving.knative.dev/revision';

/** Pods of a revision by state; failed and finished ones do not count. */
export interface PodCounts {
  ready: number;
  /** Pending, terminating or not ready. */
  notReady: number;
  pending: number;
  terminating: number;
}

/** Counts the pods of a revision. Source: knative/serving pkg/resources/pods.go. */
export function countPods(world: Pick<Reader, 'list'>, namespace: string | undefined, revision: string): PodCounts {
  const counts: PodCounts = { ready: 0, notReady: 0, pending: 0, terminating: 0 };
  const selector = namespace === undefined ? {} : { namespace };
  for (const pod of world.list(pods, { ...selector, labels: { [revisionLabel]: revision } })) countPod(counts, pod);
  return counts;
}

function countPod(counts: PodCounts, pod: Pod): void {
  const phase = pod.status?.phase;
  if (phase === 'Pending') {
    counts.pending++;
    counts.notReady++;
  } else if (phase === 'Running' && pod.metadata.deletionTimestamp !== undefined) {
    counts.terminating++;
    counts.notReady++;
  } else if (phase === 'Running') {
    if (isPodReady(pod)) counts.ready++;
    else counts.notReady++;
  }
}

/** True when the pod's Ready condition is True. */
export function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
