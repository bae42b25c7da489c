/** A Go type, as far as JSON decoding sees it. */
export type GoType =
  | { readonly kind: 'string' | 'bool' | 'int32' | 'any' }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly GoField[] }
  | { readonly kind: 'map' | 'list'; readonly name: string; readonly of: GoType };

export interface GoField {
  /** JSON name; of an embedded struct its type's name. */
  readonly name: string;
  readonly type: GoType;
  readonly embedded?: boolean;
  /** Written even when it is empty, as a field without `omitempty`. */
  readonly always?: boolean;
}

/** Why a value does not decode, in the words of Go's encoding/json. */
export class GoJsonError extends Error {}

interface Place {
  /** Name of the struct that declares the field. */
  readonly struct: string;
  readonly path: readonly string[];
}

/**
 * Decodes a JSON value into a Go type and gives what Go would write back: unknown fields are dropped, names match without regard to case,
 * empty fields are left out. Throws `GoJsonError` for the first value of a wrong type.
 */
export function decodeGoJson(value: unknown, type: GoType, place?: Place): unknown {
  if (value === null || value === undefined) return undefined;
  switch (type.kind) {
    case 'any':
      return value;
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, type, place);
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, type, place);
    case 'int32':
      if (typeof value !== 'number') return mismatch(value, type, place);
      return Number.isInteger(value) && Math.abs(value) <= 0x7fffffff ? value : mismatch(value, type, place, ` ${value}`);
    case 'list':
      return Array.isArray(value) ? value.map((item) => decodeGoJson(item, type.of, place)) : mismatch(value, type, place);
    case 'map':
      if (!isRecord(value)) return mismatch(value, type, place);
      return Object.fromEntries(sorted(value).map(([key, item]) => [key, decodeGoJson(item, type.of, place) ?? null]));
    case 'struct':
      return isRecord(value) ? decodeStruct(value, type, place) : mismatch(value, type, place);
  }
}

function decodeStruct(
  value: Readonly<Record<string, unknown>>,
  type: GoType & { kind: 'struct' },
  place: Place | undefined,
): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, item] of sorted(value)) {
    const found = fieldOf(type, key);
    if (found === undefined) continue;
    const path = [...(place?.path ?? []), ...found.through, found.field.name];
    const decoded = decodeGoJson(item, found.field.type, { struct: type.name.replace(/^.*\./, ''), path });
    for (const { name } of found.always) result[name] ??= '';
    if (decoded !== undefined && (!isEmpty(decoded, found.field.type) || found.field.always === true)) {
      result[found.field.name] = decoded;
    }
  }
  return result;
}

interface FoundField {
  readonly field: GoField;
  /** Names of the embedded structs on the way. */
  readonly through: readonly string[];
  /** Fields that the embedded struct has once any of its fields is set. */
  readonly always: readonly GoField[];
}

function fieldOf(type: GoType & { kind: 'struct' }, key: string): FoundField | undefined {
  for (const field of type.fields) {
    if (field.embedded !== true) {
      if (field.name.toLowerCase() === key.toLowerCase()) return { field, through: [], always: [] };
    } else if (field.type.kind === 'struct') {
      const found = fieldOf(field.type, key);
      if (found === undefined) continue;
      const always = found.through.length === 0 ? field.type.fields.filter((each) => each.always === true) : found.always;
      return { field: found.field, through: [field.name, ...found.through], always };
    }
  }
  return undefined;
}

function isEmpty(value: unknown, type: GoType): boolean {
  if (type.kind === 'string') return value === '';
  if (type.kind === 'list') return Array.isArray(value) && value.length === 0;
  return type.kind === 'map' && isRecord(value) && Object.keys(value).length === 0;
}

function mismatch(value: unknown, type: GoType, place: Place | undefined, detail = ''): never {
  const target = place === undefined ? 'Go value' : `Go struct field ${place.struct}.${place.path.join('.')}`;
  throw new GoJsonError(`json: cannot unmarshal ${kindOf(value)}${detail} into ${target} of type ${nameOf(type)}`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function nameOf(type: GoType): string {
  return 'name' in type ? type.name : type.kind;
}

/** Keys in the order in which Go's YAML library writes them as JSON. */
function sorted(value: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
