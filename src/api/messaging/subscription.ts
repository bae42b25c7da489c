import { resourceFields, statusFields } from '../core/metadata.ts';
import { deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { destination, kReference, type Destination, type KReference } from '../duck/destination.ts';
import { isFeatureEnabled } from '../duck/features.ts';
import { immutableFields } from '../duck/immutable.ts';
import { authStatus } from '../duck/status.ts';
import { defaultDelivery, validateDelivery } from '../duck/validate-delivery.ts';
import {
  crossNamespaceDisallowed,
  defaultDestination,
  validateDestination,
  validateNamespaceLink,
  validateReference,
} from '../duck/validate-destination.ts';
import { also, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { describe, object, present, string, type TypeOf } from '../schema.ts';

const spec = object({
  channel: present(describe(kReference, 'The channel; must not change.')),
  subscriber: describe(destination, 'Who gets the events.'),
  reply: describe(destination, "Where the subscriber's answers go."),
  delivery: describe(deliverySpec, "Taken as a whole instead of the channel's."),
});
const status = object({
  ...statusFields,
  physicalSubscription: object({
    subscriberUri: string,
    subscriberCACerts: string,
    subscriberAudience: string,
    replyUri: string,
    replyCACerts: string,
    replyAudience: string,
    ...deliveryStatusFields,
  }),
  auth: authStatus,
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `messaging.knative.dev/v1` Subscription: who gets the events of a channel. */
export type Subscription = TypeOf<typeof schema>;

export const subscriptions: Kind<Subscription> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'Subscription',
  plural: 'subscriptions',
  singular: 'subscription',
  shortNames: ['sub'],
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultSubscription,
  validate: validateSubscription,
};

function defaultSubscription(subscription: Subscription): Subscription {
  const { namespace } = subscription.metadata;
  const { subscriber, reply, delivery } = subscription.spec;
  return {
    ...subscription,
    spec: {
      ...subscription.spec,
      ...(subscriber === undefined ? {} : { subscriber: defaultDestination(subscriber, namespace) }),
      ...(reply === undefined ? {} : { reply: defaultDestination(reply, namespace) }),
      ...(delivery === undefined ? {} : { delivery: defaultDelivery(delivery, namespace) }),
    },
  };
}

function validateSubscription(subscription: Subscription, context: AdmissionContext): FieldErrors {
  const isUpdate = context.operation === 'update' && context.old !== undefined;
  return also(
    viaField(validateSpec(subscription.spec, context), 'spec'),
    isUpdate ? immutableFields(channelOf(context.old?.spec), { channel: subscription.spec.channel }, 'spec') : noErrors,
    validateNamespaceLink(subscription.spec.channel, subscription.metadata.namespace, context),
  );
}

function validateSpec({ channel, subscriber, reply, delivery }: Subscription['spec'], context: AdmissionContext): FieldErrors {
  const scope = { context };
  if (isEmptyReference(channel)) return mustReference('channel', 'a channel');
  return also(
    viaField(validateReference(channel, scope), 'channel'),
    (channel.namespace ?? '') !== '' && !isFeatureEnabled(context, 'cross-namespace-event-links')
      ? viaField(crossNamespaceDisallowed, 'channel')
      : noErrors,
    isEmpty(subscriber)
      ? mustReference('subscriber', 'a subscriber')
      : viaField(validateDestination(subscriber, scope), 'subscriber'),
    isEmpty(reply) ? noErrors : viaField(validateDestination(reply, scope), 'reply'),
    viaField(validateDelivery(delivery, scope), 'delivery'),
  );
}

function isEmpty(to: Destination | undefined): boolean {
  return to === undefined || Object.values(to).every((field) => field === undefined);
}

function isEmptyReference(reference: KReference): boolean {
  return Object.values(reference).every((field) => field === undefined || field === '');
}

function mustReference(field: string, what: string): FieldErrors {
  return [{ message: 'missing field(s)', paths: [field], details: `the Subscription must reference ${what}` }];
}

function channelOf(value: unknown): unknown {
  return {
    channel: (typeof value === 'object' && value !== null ? (Reflect.get(value, 'channel') as unknown) : undefined) ?? {},
  };
}
