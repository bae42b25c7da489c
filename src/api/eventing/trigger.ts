import { resourceFields, statusFields } from '../core/metadata.ts';
import { deliveryStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { destination, kReference } from '../duck/destination.ts';
import { authStatus } from '../duck/status.ts';
import { isFeatureEnabled } from '../duck/features.ts';
import { goJsonError, goJsonKind } from '../duck/go-json.ts';
import {
  crossNamespaceDisallowed,
  defaultDestination,
  validateDestination,
  validateNamespaceLink,
} from '../duck/validate-destination.ts';
import { defaultDelivery, validateDelivery } from '../duck/validate-delivery.ts';
import { also, genericError, missingField, multipleOneOf, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import type { Resource } from '../resource.ts';
import { array, describe, object, present, string, type TypeOf } from '../schema.ts';
import { subscriptionsApiFilter, triggerFilter } from './filter-spec.ts';
import { validateAttributeNames, validateFilters } from './validate-filters.ts';

/** Annotation: JSON reference to an object that must be ready before the Trigger is. */
export const dependencyAnnotation = 'knative.dev/dependency';

const spec = object({
  broker: describe(string, 'Name of a Broker of the same namespace; default `default`.'),
  brokerRef: describe(kReference, 'A Broker of another namespace; only with the feature cross-namespace-event-links.'),
  filter: describe(triggerFilter, 'Exact attribute values; `filters` wins when it has an element.'),
  filters: describe(array(subscriptionsApiFilter), 'All must hold.'),
  subscriber: present(describe(destination, 'Who gets the events; its answer may be an event, which goes back to the Broker.')),
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
  defaults: defaultTrigger,
  validate: validateTrigger,
};

const brokerLabel = 'eventing.knative.dev/broker';
const injectionAnnotation = 'eventing.knative.dev/injection';

function defaultTrigger(trigger: Trigger, context: AdmissionContext): Trigger {
  const { namespace, labels } = trigger.metadata;
  const { broker = '', brokerRef, filter, subscriber, delivery } = trigger.spec;
  const linked = brokerRef !== undefined && isFeatureEnabled(context, 'cross-namespace-event-links');
  const label = linked ? (brokerRef.name ?? '') : broker === '' ? undefined : broker;
  return {
    ...trigger,
    metadata: {
      ...trigger.metadata,
      ...(label === undefined ? {} : { labels: { ...labels, [brokerLabel]: label } }),
    },
    spec: {
      ...trigger.spec,
      filter: filter ?? {},
      subscriber: defaultDestination(subscriber, namespace),
      ...(delivery === undefined ? {} : { delivery: defaultDelivery(delivery, namespace) }),
    },
  };
}

function validateTrigger(trigger: Trigger, context: AdmissionContext): FieldErrors {
  const { broker = '', brokerRef, filter, filters, subscriber, delivery } = trigger.spec;
  const scope = { context };
  const spec = also(
    brokerRef === undefined && broker === '' ? missingField('broker') : noErrors,
    brokerRef !== undefined && broker !== '' ? multipleOneOf('broker', 'brokerRef') : noErrors,
    (brokerRef?.namespace ?? '') !== '' && !isFeatureEnabled(context, 'cross-namespace-event-links')
      ? crossNamespaceDisallowed
      : noErrors,
    viaField(validateAttributeNames(filter?.attributes), 'filter.attributes'),
    viaField(validateFilters(filters), 'filters'),
    viaField(validateDestination(subscriber, scope), 'subscriber'),
    viaField(validateDelivery(delivery, scope), 'delivery'),
  );
  return also(
    viaField(spec, 'spec'),
    viaAnnotation(trigger, dependencyAnnotation, validateDependency),
    viaAnnotation(trigger, injectionAnnotation, validateInjection),
    context.operation === 'update' && context.old !== undefined ? validateTriggerUpdate(trigger, context.old) : noErrors,
    validateNamespaceLink(brokerRef, trigger.metadata.namespace, context),
  );
}

function viaAnnotation(trigger: Trigger, name: string, validate: (value: string, trigger: Trigger) => FieldErrors): FieldErrors {
  const value = trigger.metadata.annotations?.[name];
  return value === undefined ? noErrors : viaField(validate(value, trigger), `metadata.annotations[${name}]`);
}

function validateDependency(text: string, trigger: Trigger): FieldErrors {
  const problem = goJsonError(text) || objectProblem(text);
  if (problem !== '') {
    const message = `The provided annotation was not a corev1.ObjectReference: ${JSON.stringify(text)}`;
    return [{ message, paths: [''], details: problem }];
  }
  const reference: unknown = JSON.parse(text);
  const field = (name: string): string => {
    const value: unknown = typeof reference === 'object' && reference !== null ? Reflect.get(reference, name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  const namespace = trigger.metadata.namespace ?? '';
  return also(
    field('namespace') !== '' && field('namespace') !== namespace
      ? genericError(`Namespace must be empty or equal to the trigger namespace ${JSON.stringify(namespace)}`, 'namespace')
      : noErrors,
    ...['kind', 'name', 'apiVersion'].map((name) => (field(name) === '' ? missingField(name) : noErrors)),
  );
}

function objectProblem(text: string): string {
  const kind = goJsonKind(text);
  if (kind === 'null') return '';
  if (kind !== 'object') return `json: cannot unmarshal ${kind} into Go value of type v1.ObjectReference`;
  const wrong = Object.entries(JSON.parse(text) as object).find(
    ([name, value]) => objectReferenceFields.has(name) && typeof value !== 'string' && value !== null,
  );
  if (wrong === undefined) return '';
  const found = goJsonKind(JSON.stringify(wrong[1]));
  return `json: cannot unmarshal ${found} into Go struct field ObjectReference.${wrong[0]} of type string`;
}

const objectReferenceFields: ReadonlySet<string> = new Set([
  'kind',
  'namespace',
  'name',
  'uid',
  'apiVersion',
  'resourceVersion',
  'fieldPath',
]);

function validateInjection(value: string, trigger: Trigger): FieldErrors {
  if (value !== 'enabled' && value !== 'disabled') {
    const allowed = 'The provided injection annotation value can only be "enabled" or "disabled"';
    return genericError(`${allowed}, not ${JSON.stringify(value)}`, '');
  }
  const broker = trigger.spec.broker ?? '';
  if (broker === 'default') return noErrors;
  const only = 'The provided injection annotation is only used for default broker, but non-default broker specified here';
  return genericError(`${only}: ${JSON.stringify(broker)}`, '');
}

function validateTriggerUpdate(trigger: Trigger, old: Resource): FieldErrors {
  const oldSpec: object = typeof old.spec === 'object' && old.spec !== null ? old.spec : {};
  const before: unknown = Reflect.get(oldSpec, 'broker') ?? '';
  const after = trigger.spec.broker ?? '';
  if (before === after) return noErrors;
  const details = `-${JSON.stringify(before)} +${JSON.stringify(after)}`;
  return [{ message: 'Immutable fields changed (-old +new)', paths: ['spec', 'broker'], details }];
}
