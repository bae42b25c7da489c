import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventingKinds } from '../../src/api/eventing/kinds.ts';
import { errorText } from '../../src/api/field-errors.ts';
import { apiVersionOf, type AdmissionContext, type Kind } from '../../src/api/kind.ts';
import type { Resource } from '../../src/api/resource.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';

const vectors = JSON.parse(readFileSync(new URL('../vectors/eventing/validation.json', import.meta.url), 'utf8')) as {
  cases: { object: Resource }[];
};
const objects = vectors.cases.map(({ object }) => object);
const context: AdmissionContext = { config: () => ({ 'authentication-oidc': 'enabled' }) };

function kindOf(object: Resource): Kind {
  const kind = eventingKinds.find((each) => each.kind === object.kind && apiVersionOf(each) === object.apiVersion);
  if (kind === undefined) throw new Error(`no kind ${object.kind}`);
  return kind;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) freeze(item);
  }
  return value;
}

describe('every eventing kind', () => {
  test('has a plural of its own and a JSON Schema with spec', () => {
    const names = eventingKinds.map((kind) => `${kind.plural}.${kind.group}`);
    expect(new Set(names).size).toBe(names.length);
    for (const kind of eventingKinds)
      expect(kind.schema.json).toMatchObject({ type: 'object', properties: { spec: { type: 'object' } } });
  });

  test('defaults change nothing that they were given, and nothing the second time', () => {
    for (const object of objects) {
      const kind = kindOf(object);
      const decoded = freeze(strictDecode<Resource>(kind.schema, object).value);
      const once = kind.defaults?.(decoded, context) ?? decoded;
      const twice = kind.defaults?.(freeze(once), context) ?? once;
      expect(twice).toEqual(once);
    }
  });

  test('no object makes decoding, defaults or validation throw', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const path = fc.array(fc.nat(8), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...objects), path, json, (object, at, value) => {
        const mutated = replaceAt(structuredClone(object), at, value) as Resource;
        const kind = kindOf(object);
        const { value: decoded, problems } = strictDecode<Resource>(kind.schema, mutated);
        if (problems.some(({ problem }) => problem === 'type')) return;
        const defaulted = kind.defaults?.(decoded, context) ?? decoded;
        expect(typeof errorText(kind.validate?.(defaulted, context) ?? [])).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });

  test('keys of the prototype are data like others', () => {
    const object = JSON.parse(
      '{"apiVersion":"eventing.knative.dev/v1","kind":"Trigger","metadata":{"name":"t"},"spec":{"broker":"b","filter":{"attributes":{"__proto__":"x"}},"subscriber":{"uri":"http://x"}}}',
    ) as Resource;
    const kind = kindOf(object);
    const { value } = strictDecode<Resource>(kind.schema, object);
    expect(errorText(kind.validate?.(value, context) ?? [])).toContain('invalid key name "__proto__"');
    expect(Object.prototype).not.toHaveProperty('x');
  });
});

/** Replaces what stands at a path of positions by a value; a path that is too long ends at a leaf. */
function replaceAt(target: unknown, path: readonly number[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof target !== 'object' || target === null) return value;
  const keys = Object.keys(target);
  const key = keys[first % Math.max(1, keys.length)];
  if (key === undefined || key === 'apiVersion' || key === 'kind') return target;
  Reflect.set(target, key, replaceAt(Reflect.get(target, key), rest, value));
  return target;
}
