import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';

/** Conditions of an Ingress. Messages as upstream's ingress_lifecycle.go has them. */
export const ingressConditions = livingConditionSet('NetworkConfigured', 'LoadBalancerReady');

export function markNetworkConfigured(conditions: ConditionManager): void {
  conditions.markTrue('NetworkConfigured');
}

export function markResourceNotOwned(conditions: ConditionManager, kind: string, name: string): void {
  conditions.markFalse('NetworkConfigured', 'NotOwned', `There is an existing ${kind} "${name}" that we do not own.`);
}

export function markLoadBalancerReady(conditions: ConditionManager): void {
  conditions.markTrue('LoadBalancerReady');
}

export function markLoadBalancerNotReady(conditions: ConditionManager): void {
  conditions.markUnknown('LoadBalancerReady', 'Uninitialized', 'Waiting for load balancer to be ready');
}

export function markLoadBalancerFailed(conditions: ConditionManager, reason: string, message: string): void {
  conditions.markFalse('LoadBalancerReady', reason, message);
}

export function markIngressNotReady(conditions: ConditionManager, reason: string, message: string): void {
  conditions.markUnknown('Ready', reason, message);
}
