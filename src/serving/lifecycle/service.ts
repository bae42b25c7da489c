import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';
import type { Condition } from '../../api/resource.ts';

/** Conditions of a Service. Messages as upstream's service_lifecycle.go has them. */
export const serviceConditions = livingConditionSet('ConfigurationsReady', 'RoutesReady');

export function markConfigurationNotOwned(conditions: ConditionManager, name: string): void {
  conditions.markFalse('ConfigurationsReady', 'NotOwned', `There is an existing Configuration "${name}" that we do not own.`);
}

export function markRouteNotOwned(conditions: ConditionManager, name: string): void {
  conditions.markFalse('RoutesReady', 'NotOwned', `There is an existing Route "${name}" that we do not own.`);
}

export function markConfigurationNotReconciled(conditions: ConditionManager): void {
  const message = 'The Configuration is still working to reflect the latest desired specification.';
  conditions.markUnknown('ConfigurationsReady', 'OutOfDate', message);
}

export function markRouteNotReconciled(conditions: ConditionManager): void {
  const message = 'The Route is still working to reflect the latest desired specification.';
  conditions.markUnknown('RoutesReady', 'OutOfDate', message);
}

export function markRouteNotYetReady(conditions: ConditionManager): void {
  conditions.markUnknown('RoutesReady', 'TrafficNotMigrated', 'Traffic is not yet migrated to the latest revision.');
}

export function markRevisionNameTaken(conditions: ConditionManager, name: string): void {
  conditions.markFalse(
    'RoutesReady',
    'RevisionNameTaken',
    `The revision name "${name}" is taken by a conflicting Revision, so traffic will not be migrated`,
  );
}

/** Copies a child's Ready condition into the dependent `type`; a child without one changes nothing. */
export function propagateReady(conditions: ConditionManager, type: string, ready: Condition | undefined): void {
  if (ready?.status === 'True') conditions.markTrue(type);
  else if (ready?.status === 'False') conditions.markFalse(type, ready.reason, ready.message);
  else if (ready !== undefined) conditions.markUnknown(type, ready.reason, ready.message);
}
