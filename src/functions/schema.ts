/** What one validation gave. Shape of the Standard Schema specification, version 1. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema of any library that follows Standard Schema: zod, valibot, arktype and others. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** A JSON Schema, draft 2020-12 or 07; compiled with ajv on first use. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Describes the data of an event or the body of a request. */
export type Schema = StandardSchema | JsonSchema;

/** The type that a schema promises; `unknown` for JSON Schemas, which carry no types. */
export type OutputOf<S> = S extends StandardSchema<infer Output> ? Output : unknown;

/** Checks a value: the value to hand on (libraries may convert it), or what is wrong, one line each. */
export type Validator = (value: unknown) => Validated | Promise<Validated>;
export type Validated = { readonly value: unknown } | { readonly problems: readonly string[] };

export function isStandardSchema(schema: Schema): schema is StandardSchema {
  return '~standard' in schema;
}

/** A validator for either kind of schema. ajv and its formats are loaded on the first call with a JSON Schema. */
export async function compileSchema(schema: Schema): Promise<Validator> {
  if (isStandardSchema(schema)) {
    const validate = schema['~standard'].validate;
    return (value) => {
      const result = validate(value);
      return result instanceof Promise ? result.then(fromStandard) : fromStandard(result);
    };
  }
  const [{ Ajv2020 }, formats] = await Promise.all([import('ajv/dist/2020.js'), import('ajv-formats')]);
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  // The package is CommonJS: its callable sits one `default` deeper for an ESM importer.
  const addFormats = formats.default as unknown as { default?: (target: object) => void } & ((target: object) => void);
  (addFormats.default ?? addFormats)(ajv);
  // Ajv refuses a $schema that it has no metaschema for; draft 07 rules read the same here.
  const { $schema: _draft, ...rules } = schema;
  const check = ajv.compile(rules);
  return (value) => {
    if (check(value)) return { value };
    return {
      problems: (check.errors ?? []).map(
        (error) => `${error.instancePath.slice(1).replaceAll('/', '.') || 'data'}: ${error.message ?? error.keyword}`,
      ),
    };
  };
}

function fromStandard(result: StandardResult<unknown>): Validated {
  if (result.issues === undefined) return { value: result.value };
  return { problems: result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`) };
}

function pathOf(issue: StandardIssue): string {
  const keys = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return keys.length === 0 ? 'data' : keys.join('.');
}
