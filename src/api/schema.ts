/**
 * A small schema builder. One declaration gives the TypeScript type (`TypeOf`), strict decoding (`strict-decode.ts`), the JSON
 * Schema of the CRD and of editors. Fields are optional unless marked `present` or `required`.
 */

/** JSON Schema, the subset of Kubernetes' structural schemas. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What strict decoding looks at. */
export type SchemaNode =
  | { readonly kind: 'string' | 'number' | 'quantity' | 'intOrString' | 'any' }
  | { readonly kind: 'boolean'; readonly zeroIsAbsent?: true }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly zeroIsAbsent?: true }
  /** Text with one canonical form; `canonical` gives it, `undefined` for a text that is none of these. */
  | { readonly kind: 'text'; readonly noun: string; readonly canonical: (text: string) => string | undefined }
  | { readonly kind: 'array' | 'map'; readonly item: SchemaNode }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, SchemaNode>; readonly present: readonly string[] }
  | { readonly kind: 'lazy'; readonly get: () => SchemaNode };

/** Structural description of a value: gives the TypeScript type `T`, strict decoding, CRD and editor schemas. */
export interface Schema<T = unknown> {
  /** Never set: carries the described type. */
  readonly type?: T;
  readonly json: JsonSchema;
  readonly node: SchemaNode;
}

/** A field that is always there after decoding: an absent one gets its zero value (`''`, `0`, `false`, `[]`, `{}`), as in Go. */
export interface PresentSchema<T = unknown> extends Schema<T> {
  readonly present: true;
  /** Editors and CRD ask for it too. */
  readonly required: boolean;
}

/** The TypeScript type that a schema describes. */
export type TypeOf<S extends Schema> = S extends Schema<infer T> ? T : never;

type Flat<T> = { [K in keyof T]: T[K] };
type PresentKeys<F> = { [K in keyof F]: F[K] extends PresentSchema ? K : never }[keyof F];
type ObjectOf<F extends Record<string, Schema>> = Flat<
  { [K in PresentKeys<F>]: TypeOf<F[K]> } & { [K in Exclude<keyof F, PresentKeys<F>>]?: TypeOf<F[K]> }
>;

const int32Max = 2 ** 31 - 1;

export const string: Schema<string> = { json: { type: 'string' }, node: { kind: 'string' } };
/** Text that decoding checks and writes in its canonical form; `noun` says what it is (`a URI`). */
export function canonicalText(format: string, noun: string, canonical: (text: string) => string | undefined): Schema<string> {
  return { json: { type: 'string', format }, node: { kind: 'text', noun, canonical } };
}
export const boolean: Schema<boolean> = { json: { type: 'boolean' }, node: { kind: 'boolean' } };
/** A number with fractions. */
export const number: Schema<number> = { json: { type: 'number' }, node: { kind: 'number' } };
export const int32: Schema<number> = {
  json: { type: 'integer', format: 'int32' },
  node: { kind: 'integer', min: -int32Max - 1, max: int32Max },
};
export const int64: Schema<number> = {
  json: { type: 'integer', format: 'int64' },
  node: { kind: 'integer', min: -(2 ** 63), max: 2 ** 63 },
};
/** A flag for which `false` says the same as nothing: decoding drops it, as Go does when it prints such a field. */
export const plainBoolean: Schema<boolean> = { json: boolean.json, node: { kind: 'boolean', zeroIsAbsent: true } };
/** A number for which 0 says the same as nothing: decoding drops it, as Go does when it prints such a field. */
export const plainInt32: Schema<number> = {
  json: int32.json,
  node: { kind: 'integer', min: -int32Max - 1, max: int32Max, zeroIsAbsent: true },
};
export const plainInt64: Schema<number> = {
  json: int64.json,
  node: { kind: 'integer', min: -(2 ** 63), max: 2 ** 63, zeroIsAbsent: true },
};
/** A Kubernetes quantity; decoding gives its canonical text. */
export const quantity: Schema<string> = {
  json: { anyOf: [{ type: 'integer' }, { type: 'string' }], format: 'quantity', 'x-kubernetes-int-or-string': true },
  node: { kind: 'quantity' },
};
export const intOrString: Schema<number | string> = {
  json: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
  node: { kind: 'intOrString' },
};
/** Anything at all, kept as it is. */
export const any: Schema = { json: { 'x-kubernetes-preserve-unknown-fields': true }, node: { kind: 'any' } };
/** An object of any shape, kept as it is. */
export const anyObject: Schema<Record<string, unknown>> = {
  json: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  node: { kind: 'map', item: any.node },
};

/** One of a few texts. Decoding takes any text, because validators say what is wrong with upstream's words; editors offer the list. */
export function oneOf<const T extends string>(...values: readonly T[]): Schema<T> {
  return { json: { type: 'string', enum: values }, node: { kind: 'string' } };
}

/**
 * A schema whose parts are made when they are first looked at: a program that imports a hundred kinds and uses one pays for one.
 */
function deferred<T>(makeJson: () => JsonSchema, makeNode: () => SchemaNode): Schema<T> {
  let json: JsonSchema | undefined;
  let node: SchemaNode | undefined;
  return {
    get json(): JsonSchema {
      return (json ??= makeJson());
    },
    get node(): SchemaNode {
      return (node ??= makeNode());
    },
  };
}

export function array<T>(item: Schema<T>): Schema<T[]> {
  return deferred(
    () => ({ type: 'array', items: item.json }),
    () => ({ kind: 'array', item: item.node }),
  );
}

/** A map from text keys to values. */
export function map<T>(item: Schema<T>): Schema<Record<string, T>> {
  return deferred(
    () => ({ type: 'object', additionalProperties: item.json }),
    () => ({ kind: 'map', item: item.node }),
  );
}

export function object<F extends Record<string, Schema>>(fields: F): Schema<ObjectOf<F>> {
  return deferred(
    () => objectJson(fields),
    () => objectNode(fields),
  );
}

function objectJson(fields: Readonly<Record<string, Schema>>): JsonSchema {
  const required: string[] = [];
  const properties: Record<string, JsonSchema> = {};
  for (const [name, field] of Object.entries(fields)) {
    properties[name] = field.json;
    if (isPresent(field) && field.required) required.push(name);
  }
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties };
}

function objectNode(fields: Readonly<Record<string, Schema>>): SchemaNode {
  const nodes = new Map<string, SchemaNode>();
  const present: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    nodes.set(name, field.node);
    if (isPresent(field)) present.push(name);
  }
  return { kind: 'object', fields: nodes, present };
}

function isPresent(schema: Schema): schema is PresentSchema {
  return 'present' in schema && schema.present === true;
}

function marked<T>(schema: Schema<T>, isRequired: boolean): PresentSchema<T> {
  return {
    get json(): JsonSchema {
      return schema.json;
    },
    get node(): SchemaNode {
      return schema.node;
    },
    present: true,
    required: isRequired,
  };
}

/** A field that the type always has; manifests may leave it out. */
export function present<T>(schema: Schema<T>): PresentSchema<T> {
  return marked(schema, false);
}

/** A field that the type always has and that a manifest must give; validators say so when it is missing. */
export function required<T>(schema: Schema<T>): PresentSchema<T> {
  return marked(schema, true);
}

/** The same schema with a text for editors and `explain`. */
export function describe<T>(schema: PresentSchema<T>, description: string): PresentSchema<T>;
export function describe<T>(schema: Schema<T>, description: string): Schema<T>;
export function describe<T>(schema: Schema<T>, description: string): Schema<T> {
  return annotate(schema, { description });
}

/** The same schema with further JSON Schema keywords (`minimum`, `pattern`, `format` …), which decoding does not look at. */
export function annotate<T>(schema: PresentSchema<T>, keywords: JsonSchema): PresentSchema<T>;
export function annotate<T>(schema: Schema<T>, keywords: JsonSchema): Schema<T>;
export function annotate<T>(schema: Schema<T>, keywords: JsonSchema): Schema<T> {
  const annotated = deferred<T>(
    () => ({ ...schema.json, ...keywords }),
    () => schema.node,
  );
  return isPresent(schema) ? marked(annotated, schema.required) : annotated;
}

/** For recursive types. CRDs cannot recurse, so the JSON Schema says `json`, by default an open object. */
export function lazy<T>(get: () => Schema<T>, json: JsonSchema = anyObject.json): Schema<T> {
  return { json, node: { kind: 'lazy', get: () => get().node } };
}
