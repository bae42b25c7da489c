import { parsePeriod } from '../../cloudevents/delivery-period.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { addressStatusFields } from '../duck/addressable.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { kReference } from '../duck/destination.ts';
import { eventingFeatures } from '../duck/features.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import { validateDelivery } from '../duck/validate-delivery.ts';
import { validateReference } from '../duck/validate-destination.ts';
import { also, disallowedFields, invalidValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { describe, int32, object, present, string, type TypeOf } from '../schema.ts';

const spec = object({
  brokerRef: present(describe(kReference, 'The Broker that requests go to.')),
  correlationAttribute: describe(string, 'Attribute that a request carries its id in; default: correlationid.'),
  replyAttribute: describe(string, 'Attribute that an answer carries the id in; default: replyid.'),
  timeout: describe(string, 'ISO 8601 period that a caller waits; default: PT30S.'),
  delivery: deliverySpec,
});
const status = object({
  ...statusFields,
  ...addressStatusFields,
  ...appliedPoliciesFields,
  desiredReplicas: int32,
  readyReplicas: int32,
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `eventing.knative.dev/v1alpha1` RequestReply: a synchronous call over a Broker. */
export type RequestReply = TypeOf<typeof schema>;

export const requestReplies: Kind<RequestReply> = {
  group: 'eventing.knative.dev',
  version: 'v1alpha1',
  kind: 'RequestReply',
  plural: 'requestreplies',
  singular: 'requestreply',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultRequestReply,
  validate: validateRequestReply,
};

function defaultRequestReply(resource: RequestReply, context: AdmissionContext): RequestReply {
  const { brokerRef, timeout, correlationAttribute, replyAttribute } = resource.spec;
  const defaultTimeout = eventingFeatures(context.config?.('config-features')).get('requestreply-default-timeout') ?? 'PT30S';
  return {
    ...resource,
    metadata: {
      ...resource.metadata,
      labels: { ...resource.metadata.labels, 'eventing.knative.dev/broker': brokerRef.name ?? '' },
    },
    spec: {
      ...resource.spec,
      timeout: timeout || defaultTimeout,
      correlationAttribute: correlationAttribute || 'correlationid',
      replyAttribute: replyAttribute || 'replyid',
    },
  };
}

function validateRequestReply(resource: RequestReply, context: AdmissionContext): FieldErrors {
  const { brokerRef, delivery, timeout, correlationAttribute = '', replyAttribute = '' } = resource.spec;
  const scope = { context, namespace: resource.metadata.namespace };
  const { kind = '', namespace = '' } = brokerRef;
  const errors = also(
    viaField(validateReference(brokerRef, scope), 'brokerRef'),
    kind.toLowerCase() === 'broker' ? noErrors : invalidValue(kind, 'brokerRef.kind', 'brokerRef kind must be Broker'),
    namespace === '' ? noErrors : disallowedFields('brokerRef.namespace'),
    viaField(validateDelivery(delivery, scope), 'delivery'),
    timeout === undefined ? missingField('timeout') : validateTimeout(timeout),
    validateAttribute(correlationAttribute, 'correlationattribute'),
    validateAttribute(replyAttribute, 'replyattribute'),
  );
  return viaField(errors, 'spec');
}

function validateTimeout(timeout: string): FieldErrors {
  const period = parsePeriod(timeout);
  if (typeof period === 'string') return invalidValue(timeout, 'timeout', period);
  return period.isNegative || period.isZero ? invalidValue(timeout, 'timeout', 'timeout must be a positive duration') : noErrors;
}

// Upstream writes `course` where its message says `source`.
const refused: ReadonlySet<string> = new Set(['', 'id', 'course', 'specversion', 'type']);

function validateAttribute(name: string, field: string): FieldErrors {
  const rule = `${field} must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)`;
  return refused.has(name) ? invalidValue(name, field, rule) : noErrors;
}
