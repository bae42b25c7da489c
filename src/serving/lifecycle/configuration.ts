import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';

/** Conditions of a Configuration: Ready alone. Messages as upstream's configuration_lifecycle.go has them. */
export const configurationConditions = livingConditionSet();

/** The revision names that a Configuration's status holds. */
export interface ConfigurationNames {
  latestCreatedRevisionName?: string;
  latestReadyRevisionName?: string;
}

/** Notes the revision of the current template; Ready is unknown until that one is ready. */
export function setLatestCreatedRevisionName(conditions: ConditionManager, names: ConfigurationNames, name: string): void {
  names.latestCreatedRevisionName = name;
  if (names.latestReadyRevisionName !== name) conditions.markUnknown('Ready');
}

export function setLatestReadyRevisionName(conditions: ConditionManager, names: ConfigurationNames, name: string): void {
  names.latestReadyRevisionName = name;
  if (name === names.latestCreatedRevisionName) conditions.markTrue('Ready');
}

export function markLatestCreatedFailed(conditions: ConditionManager, name: string, message: string): void {
  conditions.markFalse('Ready', 'RevisionFailed', `Revision "${name}" failed with message: ${message}.`);
}

export function markRevisionCreationFailed(conditions: ConditionManager, message: string): void {
  conditions.markFalse('Ready', 'RevisionFailed', `Revision creation failed with message: ${message}.`);
}

export function markLatestReadyDeleted(conditions: ConditionManager, names: ConfigurationNames): void {
  conditions.markFalse('Ready', 'RevisionDeleted', `Revision "${names.latestReadyRevisionName ?? ''}" was deleted.`);
}
