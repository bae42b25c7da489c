import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';

/** Conditions of a ServerlessService. Messages as upstream's serverlessservice_lifecycle.go has them. */
export const serverlessServiceConditions = livingConditionSet('EndpointsPopulated');

export function markEndpointsReady(conditions: ConditionManager): void {
  conditions.markTrue('EndpointsPopulated');
}

export function markEndpointsNotOwned(conditions: ConditionManager, kind: string, name: string): void {
  conditions.markFalse('EndpointsPopulated', 'NotOwned', `Resource ${name} of type ${kind} is not owned by SKS`);
}

export function markEndpointsNotReady(conditions: ConditionManager, reason: string): void {
  conditions.markUnknown('EndpointsPopulated', reason, 'K8s Service is not ready');
}

/** Whether the activator is in the path: what the autoscaler waits for. */
export function markActivatorEndpoints(conditions: ConditionManager, populated: boolean): void {
  conditions.set({
    type: 'ActivatorEndpointsPopulated',
    status: populated ? 'True' : 'False',
    severity: 'Info',
    reason: 'ActivatorEndpointsPopulated',
    message: 'Revision is backed by Activator',
  });
}
