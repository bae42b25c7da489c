import { mayPublish, type CompiledSenderRule } from '../filters/event-policy.ts';
import type { FilterHandlerOptions, FilterTarget } from '../filter-handler.ts';
import type { SenderCheck } from '../ingress.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** What the check of senders knows of a resource that takes events. */
export interface ProtectedResource {
  /** `undefined` while the resource has none: then nobody can be let in (500). */
  readonly audience: string | undefined;
  /** Rules of the policies that apply, by upstream's status; `missing` when one of them does not exist (500). */
  readonly rules: readonly CompiledSenderRule[] | 'missing';
}

export interface SenderCheckOptions {
  readonly verifier: TokenVerifier;
  /** Feature flag `authentication-oidc`, read for each request. */
  readonly enabled: () => boolean;
  /** Feature flag `default-authorization-mode`. */
  readonly defaultMode: () => string;
  readonly resourceOf: (namespace: string, name: string) => ProtectedResource | undefined;
}

/**
 * Who may send to a broker: with OIDC switched on, senders with a valid token for the broker's audience (else 401) whom an applying event
 * policy, or without one the default mode, lets send the event (else 403). Source: knative/eventing pkg/auth/verifier.go.
 */
export function createSenderCheck({ verifier, enabled, defaultMode, resourceOf }: SenderCheckOptions): SenderCheck {
  return async ({ namespace, name, event, authorization }) => {
    if (!enabled()) return undefined;
    const resource = resourceOf(namespace, name);
    if (resource?.audience === undefined) return 500;
    const identity = await verifier.verify(authorization, resource.audience);
    if (identity === undefined) return 401;
    const { rules } = resource;
    if (rules === 'missing') return 500;
    return mayPublish({ subject: identity.subject, event, rules, namespace, defaultMode: defaultMode() }) ? undefined : 403;
  };
}

/** Audience of upstream's broker filter. */
export const filterAudience = 'mt-broker-filter';

/**
 * Who may send to a broker's filter: only the Subscription that delivers to the trigger, by its identity. 404 without Subscription, 500
 * without its identity; policies play no part.
 */
export function createDeliveryCheck(options: {
  readonly verifier: TokenVerifier;
  readonly enabled: () => boolean;
  /** Subject of the Subscription's service account; `null`: it has none yet; `undefined`: there is no Subscription. */
  readonly identityOf: (target: FilterTarget) => string | null | undefined;
}): NonNullable<FilterHandlerOptions['mayDeliver']> {
  return async (target, authorization) => {
    if (!options.enabled()) return undefined;
    const subscriber = options.identityOf(target);
    if (subscriber === undefined) return 404;
    if (subscriber === null) return 500;
    const identity = await options.verifier.verify(authorization, filterAudience);
    if (identity === undefined) return 401;
    return identity.subject === subscriber ? undefined : 403;
  };
}
