import type { Pod } from '../../api/core/pod.ts';

/** Finalizer that keeps a Pod's object until its instance has drained and stopped. */
export const instanceFinalizer = 'knative-embed.dev/instance';

/** Annotation with the loopback address of a running Pod's serving port, `host:port`. */
export const addressAnnotation = 'knative-embed.dev/address';

/** True while the Pod's Ready condition holds and it is not being deleted. */
export function isReady(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  );
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}
