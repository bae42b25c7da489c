import { resourceFields, statusFields } from '../core/metadata.ts';
import { addressStatusFields, deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { kReference } from '../duck/destination.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import { immutableFields } from '../duck/immutable.ts';
import { defaultDelivery, validateDelivery } from '../duck/validate-delivery.ts';
import { defaultReference, validateReference } from '../duck/validate-destination.ts';
import { also, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import type { Resource } from '../resource.ts';
import { brokerClassOf, brokerConfigOf, brokerDefaults, mustStayInNamespace } from './broker-defaults.ts';
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
  defaults: defaultBroker,
  validate: validateBroker,
};

function defaultBroker(broker: Broker, context: AdmissionContext): Broker {
  const { namespace, annotations } = broker.metadata;
  const configured = brokerDefaults(context);
  const chosenBy = broker.spec.config === undefined ? annotations?.[brokerClassAnnotation] : broker.spec.config.kind;
  const found = configured === undefined ? undefined : brokerConfigOf(configured, namespace ?? '', chosenBy ?? '');
  const config = broker.spec.config ?? found?.config;
  const delivery = defaultDelivery(broker.spec.delivery ?? found?.delivery, namespace);
  const brokerClass = annotations?.[brokerClassAnnotation] ?? (configured && brokerClassOf(configured, namespace ?? ''));
  return {
    ...broker,
    metadata: {
      ...broker.metadata,
      ...(brokerClass === undefined ? {} : { annotations: { ...annotations, [brokerClassAnnotation]: brokerClass } }),
    },
    spec: {
      ...broker.spec,
      ...(config === undefined ? {} : { config: defaultReference(config, namespace) }),
      ...(delivery === undefined ? {} : { delivery }),
    },
  };
}

function validateBroker(broker: Broker, context: AdmissionContext): FieldErrors {
  const { namespace = '', annotations } = broker.metadata;
  const configured = brokerDefaults(context);
  const stays = configured !== undefined && mustStayInNamespace(configured, namespace);
  const scope = { context, namespace: stays ? namespace : undefined };
  const { config, delivery } = broker.spec;
  return also(
    (annotations?.[brokerClassAnnotation] ?? '') === '' ? missingField(brokerClassAnnotation) : noErrors,
    config === undefined ? noErrors : viaField(validateReference(config, scope), 'spec.config'),
    viaField(validateDelivery(delivery, scope), 'spec.delivery'),
    context.operation === 'update' && context.old !== undefined ? validateBrokerUpdate(broker, context.old) : noErrors,
  );
}

function validateBrokerUpdate(broker: Broker, old: Resource): FieldErrors {
  const { delivery: _, ...spec } = broker.spec;
  const { delivery: __, ...oldSpec } = isRecord(old.spec) ? old.spec : {};
  const changed = immutableFields(oldSpec, spec, 'spec');
  if (changed.length > 0) return changed;
  const [before, after] = [old.metadata.annotations, broker.metadata.annotations].map(
    (each) => each?.[brokerClassAnnotation] ?? '',
  );
  if (before === after) return noErrors;
  const details = `-${JSON.stringify(before)} +${JSON.stringify(after)}`;
  return [{ message: 'Immutable annotations changed (-old +new)', paths: ['annotations'], details }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
