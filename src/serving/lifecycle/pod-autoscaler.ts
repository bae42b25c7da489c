import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';
import { resourceNotOwnedMessage } from './revision.ts';

/** Conditions of a PodAutoscaler of a class that Kubernetes scales. Messages as upstream's pa_lifecycle.go has them. */
export const podAutoscalerConditions = livingConditionSet('Active', 'ScaleTargetInitialized', 'SKSReady');

export function markResourceNotOwned(conditions: ConditionManager, kind: string, name: string): void {
  conditions.markFalse('Active', 'NotOwned', resourceNotOwnedMessage(kind, name));
}

export function markSksNotReady(conditions: ConditionManager, message: string): void {
  conditions.markUnknown('SKSReady', 'NotReady', message);
}
