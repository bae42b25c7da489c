import type { ConditionManager } from '../../api/conditions.ts';

/**
 * What the generated reconcilers of knative.dev/pkg do before a pass: a generation that has not been observed yet makes Ready Unknown
 * until the reconciler says otherwise; missing conditions start as Unknown.
 */
export function startPass(conditions: ConditionManager, newGeneration: boolean): void {
  if (newGeneration) conditions.markUnknown('Ready', 'NewObservedGenFailure', 'unsuccessfully observed a new generation');
  conditions.initialize();
}
