import { statusFields } from '../core/metadata.ts';
import { addressStatusFields, deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { uriReference } from '../duck/destination.ts';
import { appliedPoliciesFields, authStatus } from '../duck/status.ts';
import { array, describe, int64, object, string, type TypeOf } from '../schema.ts';

/** Who a channel delivers to, as a Subscription writes it into the channel (`eventingduckv1.SubscriberSpec`). */
export const subscriber = object({
  name: string,
  uid: string,
  generation: int64,
  subscriberUri: uriReference,
  subscriberCACerts: string,
  subscriberAudience: string,
  replyUri: uriReference,
  replyCACerts: string,
  replyAudience: string,
  delivery: deliverySpec,
  auth: authStatus,
});
export type Subscriber = TypeOf<typeof subscriber>;

/** The fields that the spec of every kind of channel has (`eventingduckv1.ChannelableSpec`). */
export const channelableSpecFields = {
  subscribers: array(subscriber),
  delivery: describe(deliverySpec, 'For Subscriptions without delivery of their own.'),
};

/** The fields that the status of every kind of channel has (`eventingduckv1.ChannelableStatus`). */
export const channelableStatusFields = {
  ...statusFields,
  ...addressStatusFields,
  ...deliveryStatusFields,
  ...appliedPoliciesFields,
  subscribers: array(object({ uid: string, observedGeneration: int64, ready: string, message: string, auth: authStatus })),
};

/** Annotation that names the version of the subscribable shape that a channel has. */
export const subscribableAnnotation = 'messaging.knative.dev/subscribable';

/** Annotations with the version of the subscribable shape, `v1` where none is given. */
export function withSubscribable(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return { [subscribableAnnotation]: 'v1', ...annotations };
}
