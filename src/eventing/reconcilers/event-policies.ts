import type { ConditionManager } from '../../api/conditions.ts';
import type { AppliedEventPoliciesStatus } from '../../api/duck/status.ts';
import type { Kind } from '../../api/kind.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';

/** Sets EventPoliciesReady and the list of policies that apply to `resource`. Without OIDC there is nobody to authorise. */
export function markEventPolicies<R extends Resource>(
  _resource: R,
  _kind: Kind<R>,
  world: Reader,
  _status: AppliedEventPoliciesStatus,
  conditions: ConditionManager,
): void {
  const features = world.config('config-features');
  if (features['authentication-oidc']?.toLowerCase() !== 'enabled') {
    conditions.markTrue(
      'EventPoliciesReady',
      'OIDCDisabled',
      'Feature "authentication-oidc" must be enabled to support Authorization',
    );
    return;
  }
  conditions.markUnknown('EventPoliciesReady');
}
