/**
 * The field-error kit: one error per problem, with the field paths relative to where it was found; callers prefix them on the way
 * out. The text of a list equals what knative.dev/pkg `apis.FieldError` prints.
 */
export interface FieldError {
  readonly message: string;
  readonly paths: readonly string[];
  /** Second line of the text, '' when there is none. */
  readonly details: string;
  readonly level?: 'warning';
}

/** Errors of one value; empty when it is valid. */
export type FieldErrors = readonly FieldError[];

/** What a valid value gives: shared, so that the valid path allocates nothing. */
export const noErrors: FieldErrors = Object.freeze([]);

const fieldError = (message: string, paths: readonly string[], details = ''): FieldErrors => [{ message, paths, details }];

export const missingField = (...paths: string[]): FieldErrors => fieldError('missing field(s)', paths);
export const disallowedFields = (...paths: string[]): FieldErrors => fieldError('must not set the field(s)', paths);
export const disallowedUpdateDeprecatedFields = (...paths: string[]): FieldErrors =>
  fieldError('must not update deprecated field(s)', paths);
export const invalidValue = (value: unknown, path: string, details = ''): FieldErrors =>
  fieldError(`invalid value: ${String(value)}`, [path], details);
export const invalidArrayValue = (value: unknown, path: string, index: number): FieldErrors =>
  fieldError(`invalid value: ${String(value)}`, [`${path}[${index}]`]);
export const missingOneOf = (...paths: string[]): FieldErrors => fieldError('expected exactly one, got neither', paths);
export const multipleOneOf = (...paths: string[]): FieldErrors => fieldError('expected exactly one, got both', paths);
export const invalidKeyName = (key: string, path: string, details = ''): FieldErrors =>
  fieldError(`invalid key name ${JSON.stringify(key)}`, [path], details);
export const outOfBounds = (value: unknown, lower: unknown, upper: unknown, path: string): FieldErrors =>
  fieldError(`expected ${String(lower)} <= ${String(value)} <= ${String(upper)}`, [path]);
export const genericError = (message: string, ...paths: string[]): FieldErrors => fieldError(message, paths);

/** All errors of several values, in order. */
export function also(...lists: readonly FieldErrors[]): FieldErrors {
  let only: FieldErrors = noErrors;
  let all: FieldError[] | undefined;
  for (const list of lists) {
    if (list.length === 0) continue;
    if (all !== undefined) all.push(...list);
    else if (only.length === 0) only = list;
    else all = [...only, ...list];
  }
  return all ?? only;
}

function prefixed(errors: FieldErrors, prefix: string): FieldErrors {
  if (errors.length === 0) return errors;
  return errors.map((error) => ({ ...error, paths: error.paths.map((path) => joinPath(prefix, path)) }));
}

// Index and key segments stick to the segment before them; '' stands for the field itself. A key with dots in it does not: upstream
// splits paths at dots, so it sees no closing bracket in that segment.
function joinPath(prefix: string, path: string): string {
  if (path === '') return prefix;
  if (prefix === '') return path;
  return path.startsWith('[') && isIndex(path) ? prefix + path : `${prefix}.${path}`;
}

function isIndex(path: string): boolean {
  const dot = path.indexOf('.');
  return path.endsWith(']', dot < 0 ? path.length : dot);
}

/** Prefixes every path with a field name, `a.b` for nested fields. */
export const viaField = (errors: FieldErrors, field: string): FieldErrors => prefixed(errors, field);
/** Prefixes every path with `[index]`; `viaField` joins it to the list's name. */
export const viaIndex = (errors: FieldErrors, index: number): FieldErrors => prefixed(errors, `[${index}]`);
/** Prefixes every path with `[key]`; `viaField` joins it to the map's name. */
export const viaKey = (errors: FieldErrors, key: string): FieldErrors => prefixed(errors, `[${key}]`);
export const viaFieldIndex = (errors: FieldErrors, field: string, index: number): FieldErrors =>
  prefixed(errors, `${field}[${index}]`);
export const viaFieldKey = (errors: FieldErrors, field: string, key: string): FieldErrors => prefixed(errors, `${field}[${key}]`);

/** Equal message and details merged, paths sorted and unique, errors sorted by message then details. */
export function mergeErrors(errors: FieldErrors): FieldErrors {
  if (errors.length === 0) return errors;
  const merged = new Map<string, { message: string; details: string; paths: Set<string> }>();
  for (const { message, details, paths } of errors) {
    const key = `${message}\u0000${details}`;
    const entry = merged.get(key) ?? { message, details, paths: new Set<string>() };
    merged.set(key, entry);
    for (const path of paths) entry.paths.add(path);
  }
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...merged.values()]
    .map(({ message, details, paths }) => ({ message, details, paths: [...paths].sort(byText) }))
    .sort((a, b) => byText(a.message, b.message) || byText(a.details, b.details));
}

/** The text that upstream prints for the errors; '' when there are none. */
export function errorText(errors: FieldErrors): string {
  return mergeErrors(errors)
    .map(({ message, paths, details }) => `${message}: ${paths.join(', ')}${details === '' ? '' : `\n${details}`}`)
    .join('\n');
}
