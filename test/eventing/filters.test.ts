import { CloudEvent } from 'cloudevents';
import { describe, expect, test } from 'vitest';
import { EventMessage } from '../../src/cloudevents/event-message.ts';
import { KnativeError } from '../../src/errors.ts';
import { compileFilter } from '../../src/eventing/filters/compile-filter.ts';
import { filterTime, wireTime } from '../../src/eventing/filters/event-time.ts';
import { wireForm } from '../../src/eventing/filters/wire-form.ts';
import { createMatcher } from '../../src/eventing/matcher.ts';

const event = new EventMessage({
  id: '1',
  type: 'order.created',
  source: '/orders/eu',
  time: '2026-03-04T07:06:07.120+02:00',
  extensions: ['hops', 5, 'urgent', true, 'region', 'eu'],
});

describe('compileFilter', () => {
  test('nothing to compare delivers', () => {
    for (const spec of [{}, { filter: {} }, { filters: [] }, { filters: [{}] }, { filters: [{ exact: { type: '' } }] }]) {
      expect(compileFilter(spec).evaluate(event)).toBe('noFilter');
      expect(compileFilter(spec).matches(event)).toBe(true);
    }
  });

  test('the legacy filter compares values as they are in memory, the dialects their text', () => {
    expect(compileFilter({ filter: { attributes: { hops: '5' } } }).evaluate(event)).toBe('fail');
    expect(compileFilter({ filter: { attributes: { hops: '5' } } }).evaluate(wireForm(event))).toBe('pass');
    expect(compileFilter({ filters: [{ exact: { hops: '5', urgent: 'true' } }] }).evaluate(event)).toBe('pass');
  });

  test('a CESQL value that is no boolean fails', () => {
    for (const cesql of ["'true'", 'hops', 'region', 'missing', '1 / 0 = 0']) {
      expect(compileFilter({ filters: [{ cesql }] }).evaluate(event)).toBe('fail');
    }
    expect(compileFilter({ filters: [{ not: { cesql: 'missing' } }] }).evaluate(event)).toBe('pass');
  });

  test('refuses what does not parse, naming where; skips it on demand', () => {
    const spec = { filters: [{ any: [{ exact: { type: 'x' } }, { not: { cesql: 'type ==' } }] }] };
    expect(() => compileFilter(spec)).toThrowError(
      expect.objectContaining({ code: 'EVENTING_INVALID_FILTER', path: 'filters[0].any[1].not.cesql' }),
    );
    expect(compileFilter(spec, { invalidCesql: 'skip' }).evaluate(event)).toBe('noFilter');
  });

  test('nesting is limited', () => {
    let filter: object = { exact: { type: 'x' } };
    for (let i = 0; i < 200; i++) filter = { not: filter };
    expect(() => compileFilter({ filters: [filter] })).toThrowError(KnativeError);
  });

  test('keys of the prototype are attributes like others', () => {
    const filter = compileFilter({
      filters: [{ exact: JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string> }],
    });
    expect(filter.evaluate(event)).toBe('fail');
  });

  test('takes the class of the npm package too', () => {
    const other = new CloudEvent({ id: '1', type: 'order.created', source: '/orders/eu', hops: 5 });
    const matcher = createMatcher();
    matcher.set('t', { filters: [{ cesql: 'hops > 4' }] });
    expect(matcher.match(other).ids()).toEqual(['t']);
    expect(matcher.match(wireForm(other)).ids()).toEqual(['t']);
    expect(compileFilter({ filters: [{ suffix: { source: 'eu' } }] }).evaluate(other)).toBe('pass');
  });

  test('explains with the values', () => {
    const filter = compileFilter({ filters: [{ exact: { region: 'eu' } }, { cesql: "hops > 7 AND type LIKE 'order.%'" }] });
    const explanation = filter.explain(event);
    expect(explanation.result).toBe('fail');
    expect(explanation.reason).toBe("hops > 7 AND type LIKE 'order.%' is false");
    expect(explanation.parts?.[1]?.expression?.operands.map(({ text, value }) => [text, value])).toEqual([
      ['hops > 7', false],
      ["type LIKE 'order.%'", undefined],
    ]);
  });
});

describe('times', () => {
  test.each([
    [undefined, '0001-01-01T00:00:00Z'],
    ['2026-03-04T05:06:07Z', '2026-03-04T05:06:07Z'],
    ['2026-03-04T05:06:07.120Z', '2026-03-04T05:06:07.12Z'],
    ['2026-03-04T05:06:07.000000Z', '2026-03-04T05:06:07Z'],
    ['2026-03-04T05:06:07.1234567891Z', '2026-03-04T05:06:07.123456789Z'],
    ['2026-03-04T07:06:07+02:00', '2026-03-04T07:06:07+02:00'],
    ['2026-03-04T07:06:07-00:00', '2026-03-04T07:06:07Z'],
    ['no time', 'no time'],
  ])('%j compares as %j', (time, expected) => {
    expect(filterTime(time)).toBe(expected);
  });

  test.each([
    ['2026-03-04T01:06:07.5+02:00', '2026-03-03T23:06:07.5Z'],
    ['2026-03-04T05:06:07Z', '2026-03-04T05:06:07Z'],
    ['2026-03-04T05:06:07.50Z', '2026-03-04T05:06:07.5Z'],
  ])('%j travels as %j', (time, expected) => {
    expect(wireTime(time)).toBe(expected);
  });

  test('an event that has the form already is the same object', () => {
    const plain = new EventMessage({ id: '1', type: 't', source: 's', time: '2026-03-04T05:06:07Z', extensions: ['a', 'b'] });
    expect(wireForm(plain)).toBe(plain);
    expect(wireForm(event).attributes()).toMatchObject({ hops: '5', urgent: 'true', time: '2026-03-04T05:06:07.12Z' });
  });
});
