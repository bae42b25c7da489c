import { resourceFields, statusFields } from '../core/metadata.ts';
import { addressStatusFields, deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { kReference } from '../duck/destination.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import type { Kind } from '../kind.ts';
import { describe, object, present, type TypeOf } from '../schema.ts';

/** Annotation that names who implements a Broker. */
export const brokerClassAnnotation = 'eventing.knative.dev/broker.class';

const spec = object({
  config: describe(kReference, "Reference to the configuration of the broker's class."),
  delivery: describe(deliverySpec, 'How the events of Triggers without delivery of their own are delivered.'),
});
const status = object({ ...statusFields, ...addressStatusFields, ...deliveryStatusFields, ...appliedPoliciesFields });
const schema = object({ ...resourceFields, spec: present(spec), status });

export type BrokerSpec = TypeOf<typeof spec>;
export type BrokerStatus = TypeOf<typeof status>;
/** `eventing.knative.dev/v1` Broker. */
export type Broker = TypeOf<typeof schema>;

export const brokers: Kind<Broker> = {
  group: 'eventing.knative.dev',
  version: 'v1',
  kind: 'Broker',
  plural: 'brokers',
  singular: 'broker',
  namespaced: true,
  schema,
  statusSubresource: true,
};
