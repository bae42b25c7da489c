import { eventingKinds } from '../../src/api/eventing/kinds.ts';
import { errorText, noErrors } from '../../src/api/field-errors.ts';
import { apiVersionOf, type AdmissionContext, type Kind } from '../../src/api/kind.ts';
import type { Resource } from '../../src/api/resource.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';
import type { FileReplay } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

interface ValidationCase {
  readonly id: string;
  readonly object: Resource;
  readonly oldObject?: Resource;
  readonly operation: 'create' | 'update';
  readonly features?: Record<string, string>;
  readonly config?: Record<string, string>;
  readonly user?: string;
  readonly decodeError?: string;
  readonly decodeFatal?: boolean;
  readonly defaulted?: unknown;
  readonly error?: string;
  readonly errorWithoutDefaulting?: string;
}

/** validation.json: strict decoding, defaults and errors of every eventing kind. */
export const validation: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as ValidationCase;
    yield { file, id: vector.id, expected: expectation(vector), check: (expected) => differencesOf(expected, admit(vector)) };
  }
};

function expectation(vector: ValidationCase): unknown {
  if (vector.decodeFatal === true) return { decode: 'fatal' };
  return {
    decode: vector.decodeError ?? '',
    defaulted: withoutZeros(withoutStatus(vector.defaulted)),
    error: comparable(vector.error ?? '', hasSeveralExtensions(vector.object)),
    errorWithoutDefaulting: comparable(vector.errorWithoutDefaulting ?? vector.error ?? '', hasSeveralExtensions(vector.object)),
  };
}

function admit(vector: ValidationCase): unknown {
  const kind = kindOf(vector.object);
  const decoded = strictDecode<Resource>(kind.schema, vector.object);
  if (decoded.problems.some(({ problem }) => problem === 'type')) return { decode: 'fatal' };
  const [unknown] = decoded.problems;
  const context = contextOf(vector, kind);
  const defaulted = kind.defaults?.(decoded.value, context) ?? decoded.value;
  const error = (resource: Resource): string =>
    comparable(errorText(kind.validate?.(resource, context) ?? noErrors), hasSeveralExtensions(resource));
  return {
    decode: unknown === undefined ? '' : `json: unknown field ${JSON.stringify(unknown.path.split('.').at(-1))}`,
    defaulted: withoutZeros(withoutStatus(defaulted)),
    error: error(defaulted),
    errorWithoutDefaulting: error(decoded.value),
  };
}

function kindOf(object: Resource): Kind {
  const kind = eventingKinds.find((each) => apiVersionOf(each) === object.apiVersion && each.kind === object.kind);
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

const keysOfMaps: Readonly<Record<string, string>> = {
  'config-br-defaults': 'default-br-config',
  'default-ch-webhook': 'default-ch-config',
  'config-ping-defaults': 'data-max-size',
};

function contextOf(vector: ValidationCase, kind: Kind): AdmissionContext {
  const old = vector.oldObject;
  return {
    operation: vector.operation,
    ...(old === undefined ? {} : { old: strictDecode<Resource>(kind.schema, old).value }),
    ...(vector.user === undefined ? {} : { user: vector.user }),
    config(name) {
      if (name === 'config-features') return vector.features ?? {};
      const key = keysOfMaps[name];
      const value = key === undefined ? undefined : vector.config?.[key];
      return key === undefined || value === undefined ? undefined : { [key]: value };
    },
  };
}

// Upstream reports the first bad name of a map, whose order is random.
function hasSeveralExtensions(object: Resource): boolean {
  const spec = object.spec as { ceOverrides?: { extensions?: object } } | undefined;
  return Object.keys(spec?.ceOverrides?.extensions ?? {}).length > 1;
}

// The line that says that something changed, and the lines that say what: Go's prints or ours.
const changeDetails =
  /^((?:Immutable (?:fields|annotations) changed|Channel\.Spec\.Subscribers changed).*)\n(?:(?:\*?\{.*:|\t.*||(?:\S+: )?-.* \+.*)(?:\n|$))*/gm;

// Details of changed fields and the values of steps and branches are prints of Go values.
function comparable(text: string, severalKeys: boolean): string {
  const oneOfSeveral = /^invalid key name "[^"]*": spec\.ceOverrides\.extensions\n.*$/gm;
  return text
    .replace(changeDetails, '$1\n')
    .trimEnd()
    .replace(oneOfSeveral, severalKeys ? 'invalid key name: spec.ceOverrides.extensions' : '$&')
    .replace(/^invalid value: (?!<value>).*: (spec\.(?:steps|branches).*)$/gm, 'invalid value: <value>: $1');
}

function withoutStatus(object: unknown): unknown {
  if (typeof object !== 'object' || object === null) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== 'status'));
}

// Go prints the zero values of structs, which say nothing.
function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutZeros(item) ?? {});
  if (typeof value !== 'object' || value === null)
    return value === '' || value === 0 || value === false || value === null ? undefined : value;
  const kept = Object.entries(value)
    .map(([name, item]) => [name, withoutZeros(item)] as const)
    .filter(([, item]) => item !== undefined && !(Array.isArray(item) && item.length === 0));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
