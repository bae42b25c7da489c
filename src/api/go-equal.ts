import { compareQuantities, parseQuantity } from '../quantity.ts';

/**
 * Fields that Go keeps as plain values, so that an absent one equals its zero value. All other numbers, booleans and objects are
 * pointers in Go's types: there `0`, `false` and `{}` differ from an absent field.
 */
const plainNumbers = new Set([
  'initialDelaySeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'containerPort',
  'hostPort',
  'port',
  'generation',
  'numActivators',
]);
const plainBooleans = new Set(['readOnly', 'stdin', 'stdinOnce', 'tty', 'hostNetwork', 'hostPID', 'hostIPC']);
const plainObjects = new Set(['resources', 'metadata', 'spec', 'template', 'ref']);
const pointerTexts = new Set(['service', 'runtimeClassName', 'recursiveReadOnly', 'storageClassName', 'localhostProfile']);
const probeNames = new Set(['readinessProbe', 'livenessProbe', 'startupProbe']);

/**
 * Equality of decoded objects as Go sees it. `semantic` is Kubernetes' `equality.Semantic.DeepEqual`, for which empty and absent
 * lists and maps are the same; without it they differ, as for go-cmp. Quantities compare by value.
 */
export function goEqual(a: unknown, b: unknown, semantic: boolean, key = '', parent = ''): boolean {
  if (a === b) return true;
  if (a === undefined || a === null) return b === undefined || b === null || isZero(b, semantic, key, parent);
  if (b === undefined || b === null) return isZero(a, semantic, key, parent);
  if (typeof a !== 'object' || typeof b !== 'object') {
    return (parent === 'limits' || parent === 'requests') && equalQuantities(a, b);
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => goEqual(item, b[index], semantic, '', key))
    );
  }
  return equalFields(a, b, semantic, key);
}

function equalFields(a: object, b: object, semantic: boolean, parent: string): boolean {
  const left: Record<string, unknown> = { ...a };
  const right: Record<string, unknown> = { ...b };
  for (const key in left) if (!goEqual(left[key], right[key], semantic, key, parent)) return false;
  for (const key in right) if (!(key in left) && !goEqual(undefined, right[key], semantic, key, parent)) return false;
  return true;
}

/** True when an absent field means the same as `value`. */
function isZero(value: unknown, semantic: boolean, key: string, parent: string): boolean {
  switch (typeof value) {
    case 'string':
      return value === '' && !pointerTexts.has(key);
    case 'number':
      return value === 0 && (plainNumbers.has(key) || (key === 'timeoutSeconds' && probeNames.has(parent)));
    case 'boolean':
      return !value && plainBooleans.has(key);
    case 'object': {
      if (value === null) return true;
      if (Array.isArray(value)) return semantic && value.length === 0;
      const isMap = key === 'labels' || key === 'annotations' || key === 'limits' || key === 'requests' || key === 'nodeSelector';
      if (isMap) return semantic && Object.keys(value).length === 0;
      return plainObjects.has(key) && equalFields(value, {}, semantic, key);
    }
    default:
      return false;
  }
}

function equalQuantities(a: unknown, b: unknown): boolean {
  const left = typeof a === 'string' || typeof a === 'number' ? parseQuantity(a) : undefined;
  const right = typeof b === 'string' || typeof b === 'number' ? parseQuantity(b) : undefined;
  return left !== undefined && right !== undefined && compareQuantities(left, right) === 0;
}
