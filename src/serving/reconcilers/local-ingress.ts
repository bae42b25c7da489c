import { ingresses, type Ingress, type IngressStatus } from '../../api/networking/ingress.ts';
import type { Reconciler } from '../../api/reconciler.ts';
import { ingressReadyFact } from '../facts.ts';
import {
  ingressConditions,
  markLoadBalancerFailed,
  markLoadBalancerNotReady,
  markLoadBalancerReady,
  markNetworkConfigured,
} from '../lifecycle/ingress.ts';
import { runPass } from '../pass.ts';

/**
 * The Ingress reconciler of a host that has its gateway in process: an Ingress of any class is ready once the gateway serves its
 * current generation. On a cluster the networking layer's own controller does this.
 */
export const localIngressReconciler: Reconciler<Ingress> = {
  name: 'local-ingress',
  kind: ingresses,
  reconcile(ingress, world, nowMs) {
    const { namespace = '', name, generation = 0 } = ingress.metadata;
    return runPass<IngressStatus>(ingress, ingressConditions, nowMs, {}, (pass) => {
      const readiness = world.fact(ingressReadyFact(namespace, name));
      markNetworkConfigured(pass.conditions);
      if (readiness?.failure !== undefined) {
        markLoadBalancerFailed(pass.conditions, readiness.failure.reason, readiness.failure.message);
      } else if (readiness === undefined || readiness.generation < generation) markLoadBalancerNotReady(pass.conditions);
      else {
        pass.status.publicLoadBalancer = readiness.publicLoadBalancer ?? {};
        pass.status.privateLoadBalancer = readiness.privateLoadBalancer ?? {};
        markLoadBalancerReady(pass.conditions);
      }
    });
  },
};
