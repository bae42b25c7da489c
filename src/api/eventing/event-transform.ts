import { resourceFields } from '../core/metadata.ts';
import { addressStatusFields } from '../duck/addressable.ts';
import { destination } from '../duck/destination.ts';
import { sourceStatusFields } from '../duck/source-spec.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import { validateDestination } from '../duck/validate-destination.ts';
import { also, genericError, missingOneOf, multipleOneOf, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { anyObject, boolean, describe, object, present, string, type TypeOf } from '../schema.ts';

const jsonata = describe(
  object({ expression: string }),
  'JSONata expression; its input and its value are events in JSON format.',
);
const spec = object({
  sink: describe(destination, 'Where transformed events go; default: they are the answer.'),
  reply: object({ jsonata, discard: describe(boolean, "True drops the sink's answers.") }),
  jsonata,
});
const status = object({
  ...sourceStatusFields,
  ...addressStatusFields,
  ...appliedPoliciesFields,
  jsonata: object({ deployment: anyObject }),
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `eventing.knative.dev/v1alpha1` EventTransform: answers events with other events. */
export type EventTransform = TypeOf<typeof schema>;
type Spec = TypeOf<typeof spec>;

export const eventTransforms: Kind<EventTransform> = {
  group: 'eventing.knative.dev',
  version: 'v1alpha1',
  kind: 'EventTransform',
  plural: 'eventtransforms',
  singular: 'eventtransform',
  namespaced: true,
  schema,
  statusSubresource: true,
  validate: validateEventTransform,
};

function validateEventTransform(transform: EventTransform, context: AdmissionContext): FieldErrors {
  const { spec: given } = transform;
  const isUpdate = context.operation === 'update' && context.old !== undefined;
  const errors = also(
    given.jsonata === undefined ? missingOneOf('jsonata') : noErrors,
    viaField(validateDestination(given.sink, { context, namespace: transform.metadata.namespace }), 'sink'),
    given.sink?.CACerts !== undefined && given.jsonata !== undefined ? caCertsUnsupported : noErrors,
    viaField(validateReply(given), 'reply'),
    isUpdate ? validateTypeChange(given, context.old?.spec) : noErrors,
  );
  return viaField(errors, 'spec');
}

const caCertsUnsupported = genericError(
  'CACerts for the sink is not supported for JSONata transformations, to propagate CA trust bundles use labeled ConfigMaps: https://knative.dev/docs/eventing/features/transport-encryption/#configure-additional-ca-trust-bundles',
  'sink.CACerts',
);

function validateReply({ reply, sink }: Spec): FieldErrors {
  if (reply === undefined) return noErrors;
  if (sink === undefined) return genericError('reply is set without spec.sink', '');
  return reply.jsonata !== undefined && reply.discard === true ? multipleOneOf('jsonata', 'discard') : noErrors;
}

function validateTypeChange(given: Spec, old: unknown): FieldErrors {
  const had = typeof old === 'object' && old !== null && Reflect.get(old, 'jsonata') !== undefined;
  const has = given.jsonata !== undefined;
  if (had === has) return noErrors;
  const change = has
    ? 'jsonata transformation cannot be changed to a different transformation type'
    : 'transformation type cannot be changed to a jsonata transformation';
  const suggestion = 'Suggestion: create a new transformation, migrate services to the new one, and delete this transformation.';
  return genericError(`Transformations types are immutable, ${change}. ${suggestion}`);
}
