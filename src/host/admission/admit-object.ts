import { errorText, mergeErrors } from '../../api/field-errors.ts';
import type { AdmissionContext, Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import { strictDecode, type DecodeProblem } from '../../api/strict-decode.ts';
import { configMapProblem } from './config-map-problem.ts';
import { objectRuleProblems } from './object-rules.ts';
import type { AdmissionProblem } from './problem.ts';

/** How one object is admitted. */
export interface ObjectAdmissionOptions extends AdmissionContext {
  /** What to do about fields that the schema does not have. Default `refuse`; `warn` drops them and says so. */
  readonly unknownFields?: 'refuse' | 'warn';
}

export interface ObjectAdmission<R extends Resource = Resource> {
  readonly allowed: boolean;
  /** Decoded and defaulted; `undefined` when the value has not even the right shape. */
  readonly resource: R | undefined;
  /** Why it is refused; empty when it is allowed. */
  readonly problems: readonly AdmissionProblem[];
  /** The text that Knative's validation gives, as upstream writes it; '' when it finds nothing. */
  readonly error: string;
  readonly warnings: readonly string[];
}

/**
 * Admits one object of a known kind, as API server and webhooks do it: strict decoding, object rules, defaults, validation.
 * Pure; the argument is not changed.
 */
export function admitObject<R extends Resource>(
  kind: Kind<R>,
  value: unknown,
  options: ObjectAdmissionOptions = {},
): ObjectAdmission<R> {
  const decoded = strictDecode(kind.schema, value);
  const wrongShape = decoded.problems.some(({ problem }) => problem === 'type');
  if (wrongShape) {
    return { allowed: false, resource: undefined, problems: decoded.problems.map(fromDecoding), error: '', warnings: [] };
  }
  const keep = options.unknownFields === 'warn';
  const decodeProblems = keep ? [] : decoded.problems.map(fromDecoding);
  const decodeWarnings = keep ? decoded.problems.map(decodeText) : [];
  const resource = kind.defaults?.(decoded.value, options) ?? decoded.value;
  const errors = kind.validate?.(resource, options) ?? [];
  const problems = [
    ...decodeProblems,
    ...(options.operation === 'updateStatus' ? [] : objectRuleProblems(kind, resource.metadata)),
    ...configProblems(kind, value),
    ...mergeErrors(errors).flatMap(({ message, paths, details }) =>
      (paths.length === 0 ? [''] : paths).map((path): AdmissionProblem => ({ source: 'validation', path, message, details })),
    ),
  ];
  return {
    allowed: problems.length === 0,
    resource,
    problems: withoutRepeats(problems),
    error: errors.length === 0 ? '' : errorText(errors),
    warnings: [...decodeWarnings, ...(kind.warnings?.(resource, options) ?? [])],
  };
}

function fromDecoding(problem: DecodeProblem): AdmissionProblem {
  const { path, message, suggestion } = problem;
  return { source: 'decode', path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

const decodeText = ({ message, suggestion }: DecodeProblem): string =>
  suggestion === undefined ? message : `${message}, did you mean ${JSON.stringify(suggestion)}?`;

function configProblems(kind: Kind, value: unknown): readonly AdmissionProblem[] {
  if (kind.kind !== 'ConfigMap') return [];
  const problem = configMapProblem(value);
  return problem === undefined ? [] : [{ source: 'validation', path: 'data', message: problem }];
}

/** The API server and Knative both look at names; one of them is enough. */
function withoutRepeats(problems: readonly AdmissionProblem[]): readonly AdmissionProblem[] {
  const known = new Set(problems.filter(({ source }) => source === 'validation').map(({ path }) => path));
  return problems.filter(({ source, path }) => source !== 'name' || !known.has(path));
}
