import { isTrue, findCondition, type ConditionManager } from '../../api/conditions.ts';
import { eventingFeatures } from '../../api/duck/features.ts';
import type { AppliedEventPoliciesStatus } from '../../api/duck/status.ts';
import { eventPolicies, type EventPolicy } from '../../api/eventing/event-policy.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';

/**
 * The event policies that apply to an object, by name: those of its namespace without `to`, with a reference to it (names, groups and kinds
 * compare without regard to case, versions not at all), or with a selector for its kind that its labels meet.
 */
export function applyingPolicies<R extends Resource>(resource: R, kind: Kind<R>, world: Pick<Reader, 'list'>): EventPolicy[] {
  const { namespace } = resource.metadata;
  return world
    .list(eventPolicies, namespace === undefined ? {} : { namespace })
    .filter((policy) => applies(policy, resource, kind))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function applies(policy: EventPolicy, resource: Resource, kind: Pick<Kind, 'group' | 'kind'>): boolean {
  const targets = policy.spec.to ?? [];
  if (targets.length === 0) return true;
  return targets.some(({ ref, selector }) => {
    if (ref !== undefined && isOfKind(ref, kind) && sameText(ref.name, resource.metadata.name)) return true;
    return selector !== undefined && isOfKind(selector, kind) && selects(selector, resource.metadata.labels ?? {});
  });
}

function isOfKind(of: { apiVersion?: string; kind?: string }, kind: Pick<Kind, 'group' | 'kind'>): boolean {
  const { apiVersion = '' } = of;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return sameText(group, kind.group) && sameText(of.kind, kind.kind);
}

const sameText = (a: string | undefined, b: string): boolean => (a ?? '').toLowerCase() === b.toLowerCase();

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Readonly<Record<string, string>>): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator === 'Exists') return has(key);
      if (operator === 'DoesNotExist') return !has(key);
      const isIn = has(key) && values.includes(labels[key] ?? '');
      return operator === 'In' ? isIn : operator === 'NotIn' && !isIn;
    })
  );
}

/** Sets EventPoliciesReady and the list of ready policies that apply to `resource`. */
export function markEventPolicies<R extends Resource>(
  resource: R,
  kind: Kind<R>,
  world: Reader,
  status: AppliedEventPoliciesStatus,
  conditions: ConditionManager,
): void {
  const features = eventingFeatures(world.config('config-features'));
  const policies = applyingPolicies(resource, kind, world);
  if (policies.length === 0) {
    if (features.get('authentication-oidc') === 'Enabled') {
      const mode = JSON.stringify(features.get('default-authorization-mode') ?? '');
      conditions.markTrue('EventPoliciesReady', 'DefaultAuthorizationMode', `Default authz mode is ${mode}`);
    } else {
      const message = 'Feature "authentication-oidc" must be enabled to support Authorization';
      conditions.markTrue('EventPoliciesReady', 'OIDCDisabled', message);
    }
    return;
  }
  const isReady = (policy: EventPolicy): boolean => isTrue(findCondition(policy.status?.conditions, 'Ready'));
  const ready = policies.filter(isReady);
  if (ready.length > 0) {
    status.policies = ready.map(({ metadata }) => ({ apiVersion: apiVersionOf(eventPolicies), name: metadata.name }));
  }
  if (ready.length === policies.length) conditions.markTrue('EventPoliciesReady');
  else {
    const others = policies.filter((policy) => !isReady(policy)).map(({ metadata }) => metadata.name);
    conditions.markFalse('EventPoliciesReady', 'EventPoliciesNotReady', `event policies ${others.join(', ')} are not ready`);
  }
}
