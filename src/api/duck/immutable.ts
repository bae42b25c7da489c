import { noErrors, type FieldErrors } from '../field-errors.ts';

/**
 * The error of fields that changed although they must not, with one line per difference. The text of the details is ours: upstream prints a
 * difference of Go values.
 */
export function immutableFields(old: unknown, next: unknown, ...paths: string[]): FieldErrors {
  const lines: string[] = [];
  collectDifferences(old, next, '', lines);
  return lines.length === 0 ? noErrors : [{ message: 'Immutable fields changed (-old +new)', paths, details: lines.join('\n') }];
}

/** One line for every leaf that differs. */
export function collectDifferences(old: unknown, next: unknown, path: string, lines: string[]): void {
  if (isObject(old) && isObject(next)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
      collectDifferences(old[key], next[key], path === '' ? key : `${path}.${key}`, lines);
    }
    return;
  }
  const [before, after] = [JSON.stringify(old), JSON.stringify(next)];
  if (before !== after) lines.push(`${path}: -${before ?? 'nothing'} +${after ?? 'nothing'}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
