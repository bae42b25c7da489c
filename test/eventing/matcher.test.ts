import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SubscriptionsApiFilter } from '../../src/api/eventing/filter-spec.ts';
import { EventMessage } from '../../src/cloudevents/event-message.ts';
import { KnativeError } from '../../src/errors.ts';
import { compileFilter, type FilterSpec } from '../../src/eventing/filters/compile-filter.ts';
import { wireForm } from '../../src/eventing/filters/wire-form.ts';
import { createMatcher } from '../../src/eventing/matcher.ts';

const names = ['type', 'source', 'subject', 'region', 'hops', 'time', 'missing', 'datacontenttype', 'datamediatype'] as const;
const values = ['a', 'ab', 'abc', 'b', 'ba', 'cab', '1', '12', 'text/plain', 'text/plain; x=y', '2026-01-02T03:04:05Z', ''];

const attributes = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { minLength: 1, maxLength: 2 })
  .map((entries) => Object.fromEntries(entries));

const fixedCesql = fc.constantFrom(
  "type = 'a'",
  "type = 'a' AND source LIKE 'a%'",
  "source LIKE '%b' AND region = 'b'",
  "type IN ('a', 'ab') AND subject LIKE '%ab%'",
  "hops = '12'",
  "hops = '012'",
  'hops = 12',
  "region = 'TRUE'",
  "type = 'a' OR source = 'b'",
  'EXISTS region',
  'missing = 1',
  "NOT (type = 'a')",
  "type LIKE '_b%'",
  "type LIKE 'a\\%%'",
  "time = '2026-01-02T03:04:05Z'",
  'region',
  "LENGTH(type) > 1 AND type = 'ab'",
  "'a' = type",
  "type != 'a' XOR source = 'a'",
);

const quoted = fc.constantFrom(...values, '012', 'TRUE', 'true', '+1').map((value) => `'${value}'`);
const composedCesql = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(fc.constantFrom(...names), quoted).map(([name, value]) => `${name} = ${value}`),
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom("'a%'", "'%b'", "'%'", "'ab'", "'a_%'"))
      .map(([name, like]) => `${name} LIKE ${like}`),
    fc
      .tuple(fc.constantFrom(...names), fc.array(quoted, { minLength: 1, maxLength: 3 }))
      .map(([name, set]) => `${name} IN (${set.join(', ')})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('AND', 'OR', 'XOR'), tie('expression'))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie('expression').map((expression) => `NOT (${expression})`),
  ),
})).expression;
const cesql = fc.oneof(fixedCesql, composedCesql);

const filter = fc.letrec<{ filter: SubscriptionsApiFilter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    attributes.map((exact) => ({ exact })),
    attributes.map((prefix) => ({ prefix })),
    attributes.map((suffix) => ({ suffix })),
    cesql.map((text) => ({ cesql: text })),
    fc.constant({}),
    fc.array(tie('filter'), { maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('filter'), { maxLength: 3 }).map((any) => ({ any })),
    tie('filter').map((not) => ({ not })),
  ),
})).filter;

const spec: fc.Arbitrary<FilterSpec> = fc.oneof(
  fc.array(filter, { maxLength: 3 }).map((filters) => ({ filters })),
  attributes.map((of) => ({ filter: { attributes: of } })),
  fc.constant({ filter: { attributes: {} } }),
  fc.constant({ filter: {} }),
);

const optional = fc.constantFrom(...values.filter((value) => value !== ''), undefined);
const event = fc
  .record({
    type: fc.constantFrom(...values.slice(0, 8)),
    source: fc.constantFrom(...values.slice(0, 8)),
    subject: optional,
    datacontenttype: optional,
    time: fc.constantFrom(undefined, '2026-01-02T03:04:05Z', '2026-01-02T04:04:05.000+01:00'),
    region: fc.constantFrom<(string | number | boolean | undefined)[]>('a', 'b', 'TRUE', 'true', true, 1, undefined),
    hops: fc.constantFrom<(string | number | undefined)[]>('12', '012', 12, undefined),
  })
  .map(({ region, hops, ...fields }) => {
    const extensions = [...(region === undefined ? [] : ['region', region]), ...(hops === undefined ? [] : ['hops', hops])];
    return new EventMessage({ id: '1', ...fields, extensions });
  });

const matched = (matcher: ReturnType<typeof createMatcher>, of: EventMessage): string[] => matcher.match(of).ids().sort();

describe('matcher', () => {
  test('always equals evaluating each filter alone, through any sequence of changes', () => {
    const change = fc.record({ id: fc.nat(12).map(String), spec: fc.option(spec, { nil: undefined }) });
    const property = fc.property(
      fc.array(change, { maxLength: 40 }),
      fc.array(event, { minLength: 1, maxLength: 4 }),
      (changes, events) => {
        const matcher = createMatcher();
        const triggers = new Map<string, FilterSpec>();
        const compare = (): void => {
          for (const typed of events) {
            for (const of of [typed, wireForm(typed)]) {
              const alone = [...triggers].filter(([, each]) => compileFilter(each).matches(of)).map(([id]) => id);
              expect(matched(matcher, of)).toEqual(alone.sort());
            }
          }
        };
        changes.forEach(({ id, spec: next }, index) => {
          if (next === undefined) {
            expect(matcher.delete(id)).toBe(triggers.delete(id));
          } else {
            matcher.set(id, next);
            triggers.set(id, next);
          }
          if (index % 8 === 0) compare();
        });
        compare();
        expect(matcher.size).toBe(triggers.size);
        for (const id of triggers.keys()) matcher.delete(id);
        for (const of of events) expect(matched(matcher, of)).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: 400 });
  });

  test('explains every trigger in the order they were added', () => {
    const matcher = createMatcher();
    matcher.set('orders', { filters: [{ exact: { type: 'order' } }, { prefix: { source: '/eu' } }] });
    matcher.set('all', {});
    matcher.set('others', { filters: [{ not: { exact: { type: 'order' } } }] });
    const of = new EventMessage({ id: '1', type: 'order', source: '/us/1' });
    expect(matcher.match(of, { explain: true })).toMatchObject([
      { id: 'orders', matched: false, result: 'fail', reason: 'source is "/us/1", must start with "/eu"' },
      { id: 'all', matched: true, result: 'noFilter', reason: 'there is no filter' },
      { id: 'others', matched: false, result: 'fail', reason: 'not: type is "order"' },
    ]);
  });

  test('slots stay while a trigger stays, and are used again', () => {
    const matcher = createMatcher();
    const first = matcher.set('a', {});
    const second = matcher.set('b', {});
    matcher.delete('a');
    expect(matcher.idOf(first)).toBeUndefined();
    expect(matcher.set('c', {})).toBe(first);
    expect(matcher.idOf(second)).toBe('b');
  });

  test('a refused filter leaves the trigger as it was', () => {
    const matcher = createMatcher();
    matcher.set('a', { filters: [{ exact: { type: 'x' } }] });
    expect(() => matcher.set('a', { filters: [{ cesql: 'type ==' }] })).toThrowError(KnativeError);
    expect(matched(matcher, new EventMessage({ id: '1', type: 'x', source: 's' }))).toEqual(['a']);
  });

  test('many triggers that exclude the same value', () => {
    const matcher = createMatcher();
    for (let i = 0; i < 100; i++) matcher.set(`t${i}`, { filters: [{ not: { exact: { type: i < 60 ? 'x' : `y${i}` } } }] });
    expect(matcher.match(new EventMessage({ id: '1', type: 'x', source: 's' })).length).toBe(40);
    expect(matcher.match(new EventMessage({ id: '1', type: 'y70', source: 's' })).length).toBe(99);
    for (let i = 0; i < 90; i++) matcher.delete(`t${i}`);
    expect(matcher.match(new EventMessage({ id: '1', type: 'y95', source: 's' })).length).toBe(9);
  });

  test('prefixes of many first characters', () => {
    const matcher = createMatcher();
    const chars = 'abcdefghijklmnopqrstuvwxyz';
    for (const char of chars)
      matcher.set(char, { filters: [{ prefix: { type: `${char}${char}` } }, { suffix: { type: `${char}z` } }] });
    expect(matched(matcher, new EventMessage({ id: '1', type: 'qq-qz', source: 's' }))).toEqual(['q']);
    for (const char of chars) if (char !== 'q') matcher.delete(char);
    expect(matched(matcher, new EventMessage({ id: '1', type: 'qq-qz', source: 's' }))).toEqual(['q']);
    expect(matched(matcher, new EventMessage({ id: '1', type: 'rr-rz', source: 's' }))).toEqual([]);
  });
});
