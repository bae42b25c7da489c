import { resourceKey } from '../api/resource.ts';
import type { FactRegistry } from '../controller/facts.ts';
import type { Activator } from '../serving/index.ts';
import { podLoadProvider, type PodLoad } from './stand-ins/pod-load.ts';

/**
 * Tells the Deployment stand-in how busy its Pods are, as the activator counts them. The answer is read when a Pod has to go; a request
 * that comes or ends is no reason to plan anew.
 */
export function providePodLoad(
  facts: FactRegistry,
  activator: Activator,
  revisionOf: (namespace: string, deployment: string) => string | undefined,
): void {
  facts.provide<PodLoad, undefined>(podLoadProvider, () => ({
    read(deployment) {
      const slash = deployment.indexOf('/');
      const namespace = deployment.slice(0, slash);
      const revision = revisionOf(namespace, deployment.slice(slash + 1));
      const key = revision === undefined ? undefined : resourceKey(namespace, revision);
      if (key === undefined || !activator.has(key)) return undefined;
      return new Map(activator.load(key).map(({ id, inFlight }) => [id, inFlight]));
    },
  }));
}
