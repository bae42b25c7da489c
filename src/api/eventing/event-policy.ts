import { resourceFields, statusFields } from '../core/metadata.ts';
import { isFeatureEnabled } from '../duck/features.ts';
import {
  also,
  genericError,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  viaField,
  viaFieldIndex,
  type FieldErrors,
} from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { array, describe, map, object, oneOf, present, required, string, type TypeOf } from '../schema.ts';
import { subscriptionsApiFilter } from './filter-spec.ts';
import { validateFilters } from './validate-filters.ts';

const labelExpressions = array(
  object({ key: required(string), operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')), values: array(string) }),
);
const from = object({
  ref: object({ apiVersion: string, kind: string, name: string, namespace: string }),
  sub: describe(string, 'Subject of a token; a `*` at the end stands for anything.'),
});
const to = object({
  ref: object({ apiVersion: string, kind: string, name: string }),
  selector: object({ apiVersion: string, kind: string, matchLabels: map(string), matchExpressions: labelExpressions }),
});
const spec = object({
  to: describe(array(to), 'What is protected; default: everything in the namespace.'),
  from: describe(array(from), 'Who may send.'),
  filters: describe(array(subscriptionsApiFilter), 'Which events they may send; default: all.'),
});
const status = object({ ...statusFields, from: array(string) });
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `eventing.knative.dev/v1alpha1` EventPolicy: who may send events where. */
export type EventPolicy = TypeOf<typeof schema>;

export const eventPolicies: Kind<EventPolicy> = {
  group: 'eventing.knative.dev',
  version: 'v1alpha1',
  kind: 'EventPolicy',
  plural: 'eventpolicies',
  singular: 'eventpolicy',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultEventPolicy,
  validate: validateEventPolicy,
};

function defaultEventPolicy(policy: EventPolicy): EventPolicy {
  const { namespace } = policy.metadata;
  if (policy.spec.from === undefined || namespace === undefined || namespace === '') return policy;
  const senders = policy.spec.from.map((sender) =>
    sender.ref === undefined || (sender.ref.namespace ?? '') !== '' ? sender : { ...sender, ref: { ...sender.ref, namespace } },
  );
  return { ...policy, spec: { ...policy.spec, from: senders } };
}

function validateEventPolicy(policy: EventPolicy, context: AdmissionContext): FieldErrors {
  const isCreate = (context.operation ?? 'create') === 'create';
  if (isCreate && !isFeatureEnabled(context, 'authentication-oidc'))
    return genericError('oidc-authentication feature not enabled');
  const { from: senders = [], to: targets = [], filters } = policy.spec;
  const errors = also(
    ...senders.map((sender, index) => viaFieldIndex(validateSender(sender), 'from', index)),
    ...targets.map((target, index) => viaFieldIndex(validateTarget(target), 'to', index)),
    viaField(validateFilters(filters), 'filters'),
  );
  return viaField(errors, 'spec');
}

function validateSender({ ref, sub }: TypeOf<typeof from>): FieldErrors {
  return also(
    ref === undefined && (sub ?? '') === '' ? missingOneOf('ref', 'sub') : noErrors,
    ref !== undefined && sub !== undefined ? multipleOneOf('ref', 'sub') : noErrors,
    ref === undefined ? noErrors : viaField(validateRef(ref), 'ref'),
    sub === undefined ? noErrors : viaField(validateSubject(sub), 'sub'),
  );
}

function validateTarget({ ref, selector }: TypeOf<typeof to>): FieldErrors {
  return also(
    ref === undefined && selector === undefined ? missingOneOf('ref', 'selector') : noErrors,
    ref !== undefined && selector !== undefined ? multipleOneOf('ref', 'selector') : noErrors,
    ref === undefined ? noErrors : viaField(validateRef(ref), 'ref'),
  );
}

function validateRef(ref: { apiVersion?: string; kind?: string; name?: string }): FieldErrors {
  return also(
    ...(['kind', 'apiVersion', 'name'] as const).map((field) => ((ref[field] ?? '') === '' ? missingField(field) : noErrors)),
  );
}

function validateSubject(subject: string): FieldErrors {
  const star = subject.indexOf('*');
  return subject.length > 1 && star >= 0 && star < subject.length - 1
    ? invalidValue(subject, '', "'*' is only allowed as suffix")
    : noErrors;
}
