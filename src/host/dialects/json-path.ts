/** Reading decoded YAML of unknown shape: every function answers `undefined` (or nothing) where the shape is another one. */

export type JsonObject = Record<string, unknown>;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** The value at a path of keys and indexes. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else {
      const holder = asObject(at);
      at = holder !== undefined && Object.hasOwn(holder, step) ? holder[step] : undefined;
    }
  }
  return at;
}

export function objectAt(value: unknown, ...path: readonly (string | number)[]): JsonObject | undefined {
  return asObject(valueAt(value, ...path));
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A number, also one written as text. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = valueAt(value, ...path);
  if (typeof found === 'number') return found;
  return typeof found === 'string' && /^[+-]?\d+(\.\d+)?$/.test(found) ? Number(found) : undefined;
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** Entries of a map whose values are plain; values as text. */
export function textEntries(value: unknown): readonly (readonly [string, string])[] {
  return Object.entries(asObject(value) ?? {}).flatMap(([key, item]) =>
    typeof item === 'object' ? [] : [[key, String(item)] as const],
  );
}

/** A copy in which the object at `path` has `changes`; objects on the way are made where they are missing. */
export function withChanges(value: unknown, path: readonly string[], changes: JsonObject): JsonObject {
  const here = asObject(value) ?? {};
  const [key, ...rest] = path;
  if (key === undefined) return { ...here, ...changes };
  return { ...here, [key]: withChanges(here[key], rest, changes) };
}

/** `base['key']`: how reports write an annotation or label. */
export const keyPath = (base: string, key: string): string => `${base}['${key}']`;

/** `Kind/name` of a reference, or the address that stands in its place. */
export function referenceText(destination: unknown): string | undefined {
  const name = textAt(destination, 'ref', 'name');
  const kind = textAt(destination, 'ref', 'kind');
  const uri = textAt(destination, 'uri');
  if (name === undefined || kind === undefined) return uri;
  return `${kind}/${name}${uri ?? ''}`;
}

/** API group of a document, '' for core kinds and for what is no object. */
export function groupOf(document: JsonObject): string {
  const [group, version] = (textAt(document, 'apiVersion') ?? '').split('/');
  return version === undefined ? '' : (group ?? '');
}
