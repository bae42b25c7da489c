import { KnativeError } from '../errors.ts';

/** Query parameters: a text, or several when the name occurs more than once. Made without a prototype's names in it. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

const empty: Query = Object.freeze({});

/** Parses the query of a request target; percent escapes that are no UTF-8 stay as they are. */
export function parseQuery(target: string): Query {
  const mark = target.indexOf('?');
  if (mark < 0 || mark === target.length - 1) return empty;
  const query: Record<string, string | string[]> = {};
  for (const pair of target.slice(mark + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (name === '__proto__') continue;
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const earlier = Object.hasOwn(query, name) ? query[name] : undefined;
    if (earlier === undefined) query[name] = value;
    else if (typeof earlier === 'string') query[name] = [earlier, value];
    else earlier.push(value);
  }
  return query;
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** Values of a form: nested by bracketed names, as `qs` reads them. */
export type FormValue = string | FormValue[] | { [name: string]: FormValue };

const depthMax = 5;
const indexMax = 20;
const parametersMax = 1000;

/**
 * Parses application/x-www-form-urlencoded: `a[b]=1` nests, `e[]=1` and repeated names make arrays, at most five levels deep
 * and 1000 parameters, array positions up to 20 (higher ones become names). Names of Object.prototype are dropped.
 */
export function parseForm(text: string): Record<string, FormValue> {
  const form: Record<string, FormValue> = {};
  const pairs = text.split('&');
  if (pairs.length > parametersMax) {
    throw new KnativeError('FUNCTIONS_FORM_TOO_MANY_FIELDS', `the form has more than ${parametersMax} fields`, { status: 413 });
  }
  for (const pair of pairs) {
    if (pair === '') continue;
    const bracketed = pair.indexOf(']=');
    const equals = bracketed < 0 ? pair.indexOf('=') : bracketed + 1;
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const path = keysOf(name);
    if (path.some((key) => key in Object.prototype)) continue;
    assign(form, path, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return compact(form) as Record<string, FormValue>;
}

// `a[b][c]` as its keys; what goes deeper than depthMax stays one key with its brackets.
function keysOf(name: string): string[] {
  const open = name.indexOf('[');
  if (open < 0) return [name];
  const keys = open > 0 ? [name.slice(0, open)] : [];
  let at = open;
  while (at >= 0 && at < name.length && keys.length <= depthMax) {
    const close = name.indexOf(']', at);
    if (close < 0) break;
    keys.push(name.slice(at + 1, close));
    at = name[close + 1] === '[' ? close + 1 : name.length;
  }
  if (at >= 0 && at < name.length) {
    const rest = name.slice(at);
    if (keys.length === 0) return [name];
    keys.push(rest);
  }
  return keys;
}

type Holder = { [name: string]: FormValue } | FormValue[];

function assign(form: Record<string, FormValue>, path: readonly string[], value: string): void {
  let holder: Holder = form;
  for (let i = 0; i < path.length; i++) {
    const key = path[i] ?? '';
    const last = i === path.length - 1;
    const next = path[i + 1];
    const child: FormValue | undefined = read(holder, key);
    if (last) {
      if (child === undefined) write(holder, key, value);
      else if (Array.isArray(child)) child.push(value);
      else if (typeof child === 'object') child[value] = 'true';
      else write(holder, key, [child, value]);
      return;
    }
    if (typeof child === 'object') {
      holder = child;
      continue;
    }
    const made: Holder = next !== undefined && isIndex(next) ? [] : {};
    if (child !== undefined && Array.isArray(made)) made.push(child);
    write(holder, key, made);
    holder = made;
  }
}

function isIndex(key: string): boolean {
  return key === '' || (/^\d+$/.test(key) && Number(key) <= indexMax);
}

function read(holder: Holder, key: string): FormValue | undefined {
  if (Array.isArray(holder)) return isIndex(key) && key !== '' ? holder[Number(key)] : undefined;
  return Object.hasOwn(holder, key) ? holder[key] : undefined;
}

function write(holder: Holder, key: string, value: FormValue): void {
  if (!Array.isArray(holder)) holder[key] = value;
  else if (key === '' || !isIndex(key)) holder.push(value);
  else holder[Number(key)] = value;
}

// Array positions that were left out disappear.
function compact(value: FormValue): FormValue {
  if (Array.isArray(value)) return value.filter((item) => item !== undefined).map(compact);
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, compact(item)]));
  return value;
}
