import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';

/** Conditions of a Certificate: Ready alone. Messages as upstream's certificate_lifecycle.go has them. */
export const certificateConditions = livingConditionSet();

export function markResourceNotOwned(conditions: ConditionManager, kind: string, name: string): void {
  conditions.markFalse('Ready', 'NotOwned', `There is an existing ${kind} "${name}" that we do not own.`);
}
