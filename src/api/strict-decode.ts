import { canonicalQuantity } from '../quantity.ts';
import type { Schema, SchemaNode } from './schema.ts';

/** Something that the schema does not allow. */
export interface DecodeProblem {
  /** `unknown`: a field that the schema does not have, dropped from the value. `type`: a value of the wrong JSON type. */
  readonly problem: 'unknown' | 'type';
  /** Field path from the decoded value (`spec.template.spec.containers[0].imag`). */
  readonly path: string;
  readonly message: string;
  /** The known field name that is meant most likely. */
  readonly suggestion?: string;
}

export interface DecodeResult<T> {
  /** The decoded value; of use only while `problems` has no `type` problem. */
  readonly value: T;
  readonly problems: readonly DecodeProblem[];
}

const noProblems: readonly DecodeProblem[] = Object.freeze([]);

/**
 * Decodes a JSON value as the schema says: unknown fields and wrong types are reported with path and nearest known name, nulls are
 * dropped, absent `present` fields get their zero value, quantities become canonical. A value that needs none of it is returned
 * itself, not a copy; the argument is never changed.
 */
export function strictDecode<T>(schema: Schema<T>, value: unknown): DecodeResult<T> {
  if (conforms(schema.node, value)) return { value: value as T, problems: noProblems };
  const problems: DecodeProblem[] = [];
  const decoded = decode(schema.node, value, '', problems);
  return { value: decoded as T, problems };
}

/** True for a value that decodes to itself without a problem. The common case, so it builds no paths. */
function conforms(node: SchemaNode, value: unknown): boolean {
  switch (node.kind) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return value === true || (value === false && node.zeroIsAbsent !== true);
    case 'number':
      return typeof value === 'number';
    case 'integer':
      if (value === 0 && node.zeroIsAbsent === true) return false;
      return Number.isInteger(value) && (value as number) >= node.min && (value as number) <= node.max;
    case 'quantity':
      return typeof value === 'string' && canonicalQuantity(value) === value;
    case 'text':
      return typeof value === 'string' && node.canonical(value) === value;
    case 'intOrString':
      return typeof value === 'string' || Number.isInteger(value);
    case 'any':
      return value !== null && value !== undefined;
    case 'lazy':
      return conforms(node.get(), value);
    case 'array': {
      if (!Array.isArray(value)) return false;
      for (const item of value) if (!conforms(node.item, item)) return false;
      return true;
    }
    case 'map': {
      if (!isObject(value)) return false;
      for (const key in value) if (!conforms(node.item, value[key])) return false;
      return true;
    }
    case 'object': {
      if (!isObject(value)) return false;
      for (const key in value) {
        const field = node.fields.get(key);
        if (field === undefined || !conforms(field, value[key])) return false;
      }
      for (const key of node.present) if (value[key] === undefined) return false;
      return true;
    }
  }
}

/** The decoded value; `undefined` for what is to be left out. */
function decode(node: SchemaNode, value: unknown, path: string, problems: DecodeProblem[]): unknown {
  if (value === null || value === undefined) return undefined;
  switch (node.kind) {
    case 'any':
      return value;
    case 'lazy':
      return decode(node.get(), value, path, problems);
    case 'array':
      if (!Array.isArray(value)) return wrongType(node, value, path, problems);
      return value.map((item, index) => decode(node.item, item, `${path}[${index}]`, problems) ?? zeroValue(node.item));
    case 'map':
      if (!isObject(value)) return wrongType(node, value, path, problems);
      return decodeMap(node.item, value, path, problems);
    case 'object':
      if (!isObject(value)) return wrongType(node, value, path, problems);
      return decodeObject(node, value, path, problems);
    case 'quantity': {
      const text = typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : undefined;
      return text ?? wrongType(node, value, path, problems);
    }
    case 'text':
      return (typeof value === 'string' ? node.canonical(value) : undefined) ?? wrongType(node, value, path, problems);
    case 'boolean':
    case 'integer':
      if (node.zeroIsAbsent === true && (value === 0 || value === false)) {
        return (value === 0) === (node.kind === 'integer') ? undefined : wrongType(node, value, path, problems);
      }
      return conforms(node, value) ? value : wrongType(node, value, path, problems);
    default:
      return conforms(node, value) ? value : wrongType(node, value, path, problems);
  }
}

function decodeMap(item: SchemaNode, value: Record<string, unknown>, path: string, problems: DecodeProblem[]): unknown {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    // In a typed map null stands for the zero value; free-form JSON keeps it.
    const decoded = item.kind === 'any' ? value[key] : (decode(item, value[key], `${path}[${key}]`, problems) ?? zeroValue(item));
    if (decoded !== undefined) set(result, key, decoded);
  }
  return result;
}

function decodeObject(
  node: Extract<SchemaNode, { kind: 'object' }>,
  value: Record<string, unknown>,
  path: string,
  problems: DecodeProblem[],
): unknown {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const fieldPath = path === '' ? key : `${path}.${key}`;
    const field = node.fields.get(key);
    if (field === undefined) {
      const suggestion = nearestName(key, node.fields.keys());
      problems.push({
        problem: 'unknown',
        path: fieldPath,
        message: `unknown field ${JSON.stringify(fieldPath)}`,
        ...(suggestion === undefined ? {} : { suggestion }),
      });
      continue;
    }
    const decoded = decode(field, value[key], fieldPath, problems);
    if (decoded !== undefined) result[key] = decoded;
  }
  for (const key of node.present) {
    const field = node.fields.get(key);
    if (result[key] === undefined && field !== undefined) result[key] = zeroValue(field);
  }
  return result;
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** What Go has for an absent value of the type. */
function zeroValue(node: SchemaNode): unknown {
  switch (node.kind) {
    case 'string':
    case 'text':
      return '';
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'any':
      return undefined;
    case 'lazy':
      return zeroValue(node.get());
    case 'array':
      return [];
    case 'map':
      return {};
    case 'object':
      return decodeObject(node, {}, '', []);
  }
}

const nouns: Readonly<Record<Exclude<SchemaNode['kind'], 'text'>, string>> = {
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
  integer: 'an integer',
  quantity: 'a quantity such as 100m or 128Mi',
  intOrString: 'an integer or text',
  any: 'a value',
  lazy: 'a value',
  array: 'a list',
  map: 'an object',
  object: 'an object',
};

function wrongType(node: SchemaNode, value: unknown, path: string, problems: DecodeProblem[]): undefined {
  const range = node.kind === 'integer' && typeof value === 'number' && Number.isInteger(value) ? ' in range' : '';
  problems.push({
    problem: 'type',
    path,
    message: `expected ${node.kind === 'text' ? node.noun : nouns[node.kind]}${range}, got ${describeValue(value)}`,
  });
  return undefined;
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return `${typeof value === 'string' ? 'text' : typeof value} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The candidate that a mistyped name most likely means: differs in case only, or by few edits for its length. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const candidates = [...names];
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = candidate.toLowerCase() === lower ? 0 : editDistance(lower, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? longerName(lower, candidates);
}

/** A name that was cut short: `child` for `children`. */
function longerName(lower: string, candidates: Iterable<string>): string | undefined {
  if (lower.length < 4) return undefined;
  for (const candidate of candidates) if (candidate.toLowerCase().startsWith(lower)) return candidate;
  return undefined;
}

/** Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; `limit` or more once it cannot be less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit;
}
