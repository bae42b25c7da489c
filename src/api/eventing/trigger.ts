import { resourceFields, statusFields } from '../core/metadata.ts';
import { deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { destination, kReference } from '../duck/destination.ts';
import { authStatus } from '../duck/status.ts';
import type { Kind } from '../kind.ts';
import { array, describe, object, present, string, type TypeOf } from '../schema.ts';
import { subscriptionsApiFilter, triggerFilter } from './filter-spec.ts';

/** Annotation: JSON reference to an object that must be ready before the Trigger is. */
export const dependencyAnnotation = 'knative.dev/dependency';

const spec = object({
  broker: describe(string, 'Name of a Broker of the same namespace; default `default`.'),
  brokerRef: describe(kReference, 'A Broker of another namespace; only with the feature cross-namespace-event-links.'),
  filter: describe(triggerFilter, 'Exact attribute values; `filters` wins when it has an element.'),
  filters: describe(array(subscriptionsApiFilter), 'All must hold.'),
  subscriber: describe(destination, 'Who gets the events; its answer may be an event, which goes back to the Broker.'),
  delivery: describe(deliverySpec, "Taken as a whole instead of the Broker's."),
});
const status = object({
  ...statusFields,
  ...deliveryStatusFields,
  subscriberUri: string,
  subscriberCACerts: string,
  subscriberAudience: string,
  auth: authStatus,
});
const schema = object({ ...resourceFields, spec: present(spec), status });

export type TriggerSpec = TypeOf<typeof spec>;
export type TriggerStatus = TypeOf<typeof status>;
/** `eventing.knative.dev/v1` Trigger. */
export type Trigger = TypeOf<typeof schema>;

export const triggers: Kind<Trigger> = {
  group: 'eventing.knative.dev',
  version: 'v1',
  kind: 'Trigger',
  plural: 'triggers',
  singular: 'trigger',
  namespaced: true,
  schema,
  statusSubresource: true,
};
