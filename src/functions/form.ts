import { KnativeError } from '../errors.ts';
import { decodeFormText } from './query.ts';

/** Values of a form: nested by bracketed names, as the `qs` package reads them. */
export type FormValue = string | FormValue[] | { [name: string]: FormValue };

const depthMax = 5;
const arrayLengthMax = 20;
const fieldsMax = 1000;

/**
 * Parses application/x-www-form-urlencoded: `a[b]=1` nests at most five levels deep, `e[]=1`, `e[0]=1` and repeated names make
 * arrays of at most 20 items (longer ones become objects with numbers as names). More than 1000 fields are refused with 413; names of
 * Object.prototype are dropped.
 */
export function parseForm(text: string): Record<string, FormValue> {
  let form: FormValue = {};
  for (const [name, value] of collectFields(text)) {
    const path = pathOf(name);
    if (path.length > 0) form = merge(form, nest(path, value));
  }
  return compact(form) as Record<string, FormValue>;
}

// Repeated names first: their values belong together wherever else they occur.
function collectFields(text: string): Map<string, FormValue> {
  const fields = new Map<string, FormValue>();
  const pairs = text.replace(/%5B/gi, '[').replace(/%5D/gi, ']').split('&');
  if (pairs.length > fieldsMax) {
    throw new KnativeError('FUNCTIONS_FORM_TOO_MANY_FIELDS', `the form has more than ${fieldsMax} fields`, { status: 413 });
  }
  for (const pair of pairs) {
    const bracket = pair.indexOf(']=');
    const equals = bracket < 0 ? pair.indexOf('=') : bracket + 1;
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1));
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : bounded([...(Array.isArray(earlier) ? earlier : [earlier]), value]));
  }
  return fields;
}

/** `a[b][]` as `['a', '[b]', '[]']`; what goes deeper than the limit, or is not closed, stays one name. Empty when the name is not allowed. */
function pathOf(name: string): string[] {
  const first = name.indexOf('[');
  const parent = first < 0 ? name : name.slice(0, first);
  const path = parent === '' ? [] : [parent];
  let open = first;
  for (let depth = 0; open >= 0 && depth < depthMax; depth++) {
    const close = closingBracket(name, open);
    if (close < 0) break;
    path.push(name.slice(open, close + 1));
    open = name.indexOf('[', close + 1);
  }
  if (open >= 0) path.push(`[${name.slice(open)}]`);
  return path.some((step, index) => (index === 0 && parent !== '' ? step : step.slice(1, -1)) in Object.prototype) ? [] : path;
}

function closingBracket(name: string, open: number): number {
  let level = 0;
  for (let i = open; i < name.length; i++) {
    if (name[i] === '[') level++;
    else if (name[i] === ']' && --level === 0) return i;
  }
  return -1;
}

// The value inside its path, from the innermost step outwards.
function nest(path: readonly string[], value: FormValue): FormValue {
  return path.reduceRight<FormValue>((inner, step) => {
    if (step === '[]') return bounded(Array.isArray(inner) ? [...inner] : [inner]);
    const bracketed = step.startsWith('[') && step.endsWith(']');
    const name = bracketed ? step.slice(1, -1) : step;
    const index = Number(name);
    if (bracketed && String(index) === name && Number.isInteger(index) && index >= 0 && index < arrayLengthMax) {
      const items: FormValue[] = [];
      items[index] = inner;
      return items;
    }
    return { [name]: inner };
  }, value);
}

function bounded(items: FormValue[]): FormValue {
  return items.length <= arrayLengthMax ? items : toObject(items);
}

function toObject(items: readonly FormValue[]): { [name: string]: FormValue } {
  return Object.fromEntries(Object.entries(items));
}

function merge(target: FormValue, source: FormValue): FormValue {
  if (typeof target === 'string') return bounded([target, ...(Array.isArray(source) ? source : [source])]);
  if (typeof source === 'string') {
    if (source === '') return target;
    return Array.isArray(target) ? bounded([...target, source]) : bounded([target, source]);
  }
  if (Array.isArray(target) && Array.isArray(source)) return bounded(mergeArrays(target, source));
  const merged = Array.isArray(target) ? toObject(target) : target;
  for (const [name, value] of Object.entries(source)) {
    const earlier = Object.hasOwn(merged, name) ? merged[name] : undefined;
    merged[name] = earlier === undefined ? value : merge(earlier, value);
  }
  return merged;
}

function mergeArrays(target: FormValue[], source: readonly FormValue[]): FormValue[] {
  source.forEach((item, index) => {
    const earlier = target[index];
    if (earlier === undefined) target[index] = item;
    else if (typeof earlier === 'object' && typeof item === 'object') target[index] = merge(earlier, item);
    else target.push(item);
  });
  return target;
}

// Positions that were left out disappear.
function compact(value: FormValue): FormValue {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.filter((item) => item !== undefined).map(compact);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, compact(item)]));
}
