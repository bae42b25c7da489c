import { also, invalidValue, missingField, noErrors, type FieldErrors } from '../field-errors.ts';
import { cIdentifierProblems, dns1123LabelProblems, qualifiedNameProblems } from '../names.ts';
import { disallowedBy, fieldMask } from '../disallowed-fields.ts';

const mask = fieldMask(['apiVersion', 'kind', 'name'], ['namespace', 'uid', 'resourceVersion', 'fieldPath']);

/** Checks a reference to an object in the same namespace: apiVersion, kind and name, nothing else. */
export function validateLocalReference(reference: {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
}): FieldErrors {
  const check = (field: 'apiVersion' | 'kind' | 'name', problemsOf: (text: string) => readonly string[]): FieldErrors => {
    const text = reference[field] ?? '';
    if (text === '') return missingField(field);
    const problems = problemsOf(text);
    return problems.length === 0 ? noErrors : invalidValue(problems.join(', '), field);
  };
  return also(
    disallowedBy(mask, reference),
    check('apiVersion', qualifiedNameProblems),
    check('kind', cIdentifierProblems),
    check('name', dns1123LabelProblems),
  );
}
