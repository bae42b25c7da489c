/**
 * Whether two JSON values mean the same to the API: an absent field, null, '', {} and [] are alike. A round trip through the
 * API server adds or drops such fields, and that must not count as a change.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return isEmpty(a) && isEmpty(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b)) return isEmpty(a) && isEmpty(b);
    if (a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!semanticEqual(a[index], b[index])) return false;
    return true;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!semanticEqual(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !isEmpty(right[key])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (!isEmpty((value as Record<string, unknown>)[key])) return false;
  return true;
}

/**
 * Whether `actual` already says everything that `wanted` says. Fields that only `actual` has do not count: on a cluster the API
 * server fills in some, and writing without them again and again would change nothing.
 */
export function covers(actual: unknown, wanted: unknown): boolean {
  if (actual === wanted || isEmpty(wanted)) return true;
  if (typeof actual !== 'object' || actual === null || typeof wanted !== 'object' || wanted === null) return false;
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length && wanted.every((item, index) => covers(actual[index], item));
  }
  return Object.entries(wanted).every(([key, value]) => covers((actual as Record<string, unknown>)[key], value));
}
