import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import {
  any,
  array,
  boolean,
  int32,
  intOrString,
  lazy,
  map,
  object,
  oneOf,
  plainBoolean,
  plainInt32,
  present,
  quantity,
  required,
  string,
  type Schema,
  type TypeOf,
} from '../../src/api/schema.ts';
import { nearestName, strictDecode } from '../../src/api/strict-decode.ts';
import { services } from '../../src/api/serving/service.ts';

const person = object({
  name: required(string),
  age: int32,
  tags: array(string),
  labels: map(string),
  limits: map(quantity),
  mode: oneOf('fast', 'slow'),
  address: present(object({ street: string, free: boolean })),
  port: intOrString,
  extra: any,
});

test('one declaration gives the type', () => {
  expectTypeOf<TypeOf<typeof person>['name']>().toEqualTypeOf<string>();
  expectTypeOf<TypeOf<typeof person>['mode']>().toEqualTypeOf<'fast' | 'slow' | undefined>();
  expectTypeOf<TypeOf<typeof person>['address']>().toEqualTypeOf<{ street?: string; free?: boolean }>();
});

test('a value that conforms is returned itself', () => {
  const value = { name: 'a', address: {}, limits: { cpu: '1' }, extra: { deep: [1, 'x'] } };
  const result = strictDecode(person, value);
  expect(result.value).toBe(value);
  expect(result.problems).toEqual([]);
});

test('unknown fields are dropped and reported with path and nearest known name', () => {
  const value = { name: 'a', address: { stret: 'x' }, Age: 3, unrelated: 1 };
  const result = strictDecode(person, value);
  expect(result.value).toEqual({ name: 'a', address: {} });
  expect(result.problems.map(({ path, suggestion }) => [path, suggestion])).toEqual([
    ['address.stret', 'street'],
    ['Age', 'age'],
    ['unrelated', undefined],
  ]);
});

test.each([
  [{ name: 1 }, 'name', 'expected text, got number 1'],
  [{ age: 1.5 }, 'age', 'expected an integer, got number 1.5'],
  [{ age: 2 ** 40 }, 'age', 'expected an integer in range, got number 1099511627776'],
  [{ tags: 'x' }, 'tags', 'expected a list, got text "x"'],
  [{ tags: ['a', 2] }, 'tags[1]', 'expected text, got number 2'],
  [{ labels: { a: true } }, 'labels[a]', 'expected text, got boolean true'],
  [{ limits: { cpu: 'lots' } }, 'limits[cpu]', 'expected a quantity such as 100m or 128Mi, got text "lots"'],
  [{ address: [] }, 'address', 'expected an object, got a list'],
  [{ port: 1.5 }, 'port', 'expected an integer or text, got number 1.5'],
])('a wrong type is reported: %j', (value, path, message) => {
  const { problems } = strictDecode(person, value);
  expect(problems).toEqual([{ problem: 'type', path, message }]);
});

test('nulls are absent, absent present fields get their zero value, quantities become canonical', () => {
  const result = strictDecode(person, { name: null, tags: null, limits: { cpu: '1000m', memory: 1024, disk: '1024Mi' } });
  expect(result.problems).toEqual([]);
  expect(result.value).toEqual({ name: '', address: {}, limits: { cpu: '1', memory: '1024', disk: '1Gi' } });
});

interface Tree {
  children?: Tree[];
}
const tree: Schema<Tree> = object({ children: array(lazy(() => tree)) });

test('recursive schemas decode', () => {
  expect(strictDecode(tree, { children: [{ children: [] }, { child: [] }] }).problems).toMatchObject([
    { path: 'children[1].child', suggestion: 'children' },
  ]);
});

test('a key called __proto__ stays an ordinary key', () => {
  const value: unknown = JSON.parse('{"labels": {"__proto__": "x", "a": null}}');
  const { value: decoded } = strictDecode(person, value);
  expect(Object.getPrototypeOf(decoded.labels)).toBe(Object.prototype);
  expect(Object.keys(decoded.labels ?? {})).toEqual(['__proto__', 'a']);
});

test('decoding any JSON never throws, never changes its argument, and its result decodes to itself', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const before = JSON.stringify(value);
      const { value: decoded, problems } = strictDecode(services.schema, value);
      expect(JSON.stringify(value)).toBe(before);
      if (problems.some(({ problem }) => problem === 'type')) return;
      if (decoded === undefined) return;
      expect(strictDecode(services.schema, decoded)).toEqual({ value: decoded, problems: [] });
    }),
  );
});

test.each([
  ['contaners', 'containers'],
  ['minscale', 'minScale'],
  ['enviroment', undefined],
  ['nmae', 'name'],
])('nearest name of %s', (name, nearest) => {
  expect(nearestName(name, ['containers', 'minScale', 'name', 'image'])).toBe(nearest);
});

test('plain flags and numbers that are zero are the same as absent ones; others are kept', () => {
  const flags = object({ on: plainBoolean, count: plainInt32, maybe: boolean, some: int32 });
  expect(strictDecode(flags, { on: false, count: 0, maybe: false, some: 0 })).toEqual({
    value: { maybe: false, some: 0 },
    problems: [],
  });
  expect(strictDecode(flags, { on: true, count: 2 }).value).toEqual({ on: true, count: 2 });
  expect(strictDecode(flags, { on: 0, count: false }).problems.map(({ path }) => path)).toEqual(['on', 'count']);
});
