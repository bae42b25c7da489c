import { findCondition, type ConditionManager } from '../../api/conditions.ts';
import type { Configuration } from '../../api/serving/configuration.ts';
import type { Revision } from '../../api/serving/revision.ts';
import {
  markConfigurationFailed,
  markConfigurationNotReady,
  markMissingTrafficTarget,
  markRevisionFailed,
  markRevisionNotOwned,
  markRevisionNotReady,
} from '../lifecycle/route.ts';

/** Why a traffic target cannot get requests. */
export type TargetError =
  | { readonly problem: 'missing'; readonly kind: 'Configuration' | 'Revision'; readonly name: string }
  | { readonly problem: 'unready-configuration'; readonly name: string; readonly failed: boolean }
  | { readonly problem: 'unready-revision'; readonly name: string; readonly failed: boolean }
  | {
      readonly problem: 'not-owned';
      readonly name: string;
      readonly expectedService: string;
      /** '' for a revision of no Service. */
      readonly actualService: string;
    };

export function missingTarget(kind: 'Configuration' | 'Revision', name: string): TargetError {
  return { problem: 'missing', kind, name };
}

export function unreadyConfiguration(configuration: Configuration): TargetError {
  const failed = findCondition(configuration.status?.conditions, 'Ready')?.status === 'False';
  return { problem: 'unready-configuration', name: configuration.metadata.name, failed };
}

export function unreadyRevision(revision: Revision): TargetError {
  const failed = findCondition(revision.status?.conditions, 'Ready')?.status === 'False';
  return { problem: 'unready-revision', name: revision.metadata.name, failed };
}

/** True when waiting does not help. */
export function isFailure(error: TargetError): boolean {
  return error.problem === 'missing' || error.problem === 'not-owned' || error.failed;
}

/** Says in a Route's conditions what is wrong with the target. */
export function markTargetError(conditions: ConditionManager, error: TargetError): void {
  switch (error.problem) {
    case 'missing':
      markMissingTrafficTarget(conditions, error.kind, error.name);
      return;
    case 'not-owned':
      markRevisionNotOwned(conditions, error.name, error.expectedService, error.actualService);
      return;
    case 'unready-configuration':
      if (error.failed) markConfigurationFailed(conditions, error.name);
      else markConfigurationNotReady(conditions, error.name);
      return;
    case 'unready-revision':
      if (error.failed) markRevisionFailed(conditions, error.name);
      else markRevisionNotReady(conditions, error.name);
  }
}
