import { resourceFields, statusFields } from '../core/metadata.ts';
import { kReference } from '../duck/destination.ts';
import { defaultReference } from '../duck/validate-destination.ts';
import { missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { Kind } from '../kind.ts';
import { array, boolean, describe, object, present, string, type TypeOf } from '../schema.ts';

const attribute = object({ name: present(string), required: present(boolean), value: string });
const spec = object({
  reference: describe(kReference, 'Where events of this type can be had.'),
  description: string,
  attributes: present(describe(array(attribute), 'What the events have.')),
});
const schema = object({ ...resourceFields, spec: present(spec), status: object(statusFields) });

/** `eventing.knative.dev/v1beta3` EventType: describes a type of events. */
export type EventType = TypeOf<typeof schema>;

export const eventTypes: Kind<EventType> = {
  group: 'eventing.knative.dev',
  version: 'v1beta3',
  kind: 'EventType',
  plural: 'eventtypes',
  singular: 'eventtype',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: (type) =>
    type.spec.reference === undefined
      ? type
      : { ...type, spec: { ...type.spec, reference: defaultReference(type.spec.reference, type.metadata.namespace) } },
  validate: validateEventType,
};

function validateEventType(type: EventType): FieldErrors {
  const names = new Set(type.spec.attributes.map(({ name }) => name));
  const missing = ['type', 'source', 'specversion', 'id'].filter((name) => !names.has(name));
  return missing.length === 0 ? noErrors : viaField(missingField(...missing), 'spec.attributes');
}
