import { disallowedFields, noErrors, type FieldErrors } from './field-errors.ts';

/**
 * Which fields of an object users may set. `plain` names fields that Go keeps as plain values: setting those to their zero value
 * does not count as setting them.
 */
export interface FieldMask {
  readonly allowed: ReadonlySet<string>;
  readonly plain: ReadonlySet<string>;
}

const noNames: ReadonlySet<string> = new Set();

export function fieldMask(allowed: readonly string[], plain: readonly string[] = []): FieldMask {
  return { allowed: new Set(allowed), plain: plain.length === 0 ? noNames : new Set(plain) };
}

/** The fields that are set although the mask does not have them, as one error. `also` allows further fields case by case. */
export function disallowedBy(mask: FieldMask, value: object, allow: (field: string) => boolean = () => false): FieldErrors {
  let found: string[] | undefined;
  for (const [field, item] of Object.entries(value)) {
    if (mask.allowed.has(field) || item === undefined || allow(field)) continue;
    if (mask.plain.has(field) && (item === '' || item === 0 || item === false)) continue;
    (found ??= []).push(field);
  }
  return found === undefined ? noErrors : disallowedFields(...found.sort());
}
