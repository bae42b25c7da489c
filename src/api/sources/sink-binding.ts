import { labelSelector, resourceFields } from '../core/metadata.ts';
import { sourceSpecFields, sourceStatusFields, validateSourceSpec } from '../duck/source-spec.ts';
import { defaultDestination, validateDestination } from '../duck/validate-destination.ts';
import {
  also,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  viaField,
  type FieldErrors,
} from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { cIdentifierProblems, dns1123LabelProblems, labelValueProblems, qualifiedNameProblems } from '../names.ts';
import { describe, object, present, string, type TypeOf } from '../schema.ts';

const subject = object({ apiVersion: string, kind: string, namespace: string, name: string, selector: labelSelector });
const spec = object({
  ...sourceSpecFields,
  subject: present(describe(subject, 'The workloads that get K_SINK: one by name, or those with the labels.')),
});
const status = object({ ...sourceStatusFields, oidcTokenSecretName: string });
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `sources.knative.dev/v1` SinkBinding: hands a sink's address to workloads. */
export type SinkBinding = TypeOf<typeof schema>;
type Subject = TypeOf<typeof subject>;

export const sinkBindings: Kind<SinkBinding> = {
  group: 'sources.knative.dev',
  version: 'v1',
  kind: 'SinkBinding',
  plural: 'sinkbindings',
  singular: 'sinkbinding',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultSinkBinding,
  validate: validateSinkBinding,
};

function defaultSinkBinding(binding: SinkBinding): SinkBinding {
  const { namespace } = binding.metadata;
  const { subject: given, sink } = binding.spec;
  const own = (given.namespace ?? '') === '' && namespace !== undefined && namespace !== '' ? { ...given, namespace } : given;
  return { ...binding, spec: { ...binding.spec, subject: own, sink: defaultDestination(sink, namespace) } };
}

function validateSinkBinding(binding: SinkBinding, context: AdmissionContext): FieldErrors {
  const { subject: given, sink } = binding.spec;
  const { namespace = '' } = given;
  const errors = also(
    viaField(validateSubject(given), 'subject'),
    viaField(validateDestination(sink, { context }), 'sink'),
    validateSourceSpec(binding.spec, { context }),
  );
  const elsewhere = namespace !== '' && namespace !== (binding.metadata.namespace ?? '');
  return also(viaField(errors, 'spec'), elsewhere ? invalidValue(namespace, 'spec.subject.namespace') : noErrors);
}

function validateSubject(given: Subject): FieldErrors {
  const { apiVersion = '', kind = '', namespace = '', name = '', selector } = given;
  const check = (value: string, field: string, problems: (value: string) => readonly string[]): FieldErrors => {
    if (value === '') return missingField(field);
    const found = problems(value);
    return found.length === 0 ? noErrors : invalidValue(found.join(', '), field);
  };
  const named = name === '' ? noErrors : check(name, 'name', dns1123LabelProblems);
  return also(
    check(apiVersion, 'apiVersion', qualifiedNameProblems),
    check(kind, 'kind', cIdentifierProblems),
    check(namespace, 'namespace', dns1123LabelProblems),
    selector === undefined && name === '' ? missingOneOf('selector', 'name') : noErrors,
    selector !== undefined && name !== '' ? multipleOneOf('selector', 'name') : noErrors,
    selector === undefined ? named : noErrors,
    selector !== undefined && name === '' ? validateSelector(selector) : noErrors,
  );
}

function validateSelector(selector: TypeOf<typeof labelSelector>): FieldErrors {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const problems = labelProblems(key, [value]);
    if (problems !== '') return invalidValue(problems, 'selector');
  }
  for (const { key = '', operator, values = [] } of selector.matchExpressions ?? []) {
    const name: string = operator;
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(name)) {
      return invalidValue(`${JSON.stringify(name)} is not a valid label selector operator`, 'selector');
    }
    const wantsValues = name === 'In' || name === 'NotIn';
    if (wantsValues && values.length === 0) {
      return invalidValue(`values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`, 'selector');
    }
    if (!wantsValues && values.length > 0) {
      return invalidValue(
        `values: Invalid value: ${JSON.stringify(values)}: values set must be empty for exists and does not exist`,
        'selector',
      );
    }
    const problems = labelProblems(key, values);
    if (problems !== '') return invalidValue(problems, 'selector');
  }
  return noErrors;
}

/** What the Kubernetes libraries say of a label name and of values that it shall have. */
function labelProblems(key: string, values: readonly string[]): string {
  const problems: string[] = [];
  const of = (path: string, value: string, why: readonly string[]): void => {
    if (why.length > 0) problems.push(`${path}: Invalid value: ${JSON.stringify(value)}: ${why.join('; ')}`);
  };
  of('key', key, qualifiedNameProblems(key));
  values.forEach((value, index) => {
    of(`values[${index}][${key}]`, value, labelValueProblems(value));
  });
  return problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? '');
}
