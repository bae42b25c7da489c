import type { FactRequest } from '../../api/reconciler.ts';

/** Requests in each Pod of a Deployment by its name; Pods that get none are not among them. */
export type PodLoad = ReadonlyMap<string, number>;

export const podLoadProvider = 'pod-load';

/** The load of the Pods of the Deployment `namespace/name`; unknown for one whose requests the host does not count. */
export const podLoadFact = (deployment: string): FactRequest<PodLoad> => ({ provider: podLoadProvider, key: deployment });
