import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm } from '../../src/functions/form.ts';
import { parseQuery } from '../../src/functions/query.ts';

describe('forms', () => {
  test.each([
    ['a=1&b=x+y', { a: '1', b: 'x y' }],
    ['a[b]=1&a[c]=2', { a: { b: '1', c: '2' } }],
    ['e[]=1&e[]=2', { e: ['1', '2'] }],
    ['e=1&e=2', { e: ['1', '2'] }],
    ['a[1]=b&a[0]=a', { a: ['a', 'b'] }],
    ['a[25]=x', { a: { 25: 'x' } }],
    ['a[b][c][d][e][f][g]=1', { a: { b: { c: { d: { e: { f: { '[g]': '1' } } } } } } }],
    ['a%5Bb%5D=%E2%82%AC', { a: { b: '€' } }],
    ['a&b=', { a: '', b: '' }],
    ['a[b=1', { a: { '[b': '1' } }],
    ['__proto__[x]=1&constructor[prototype][x]=1&ok=1', { ok: '1' }],
  ])('%s', (text, expected) => {
    expect(parseForm(text)).toEqual(expected);
  });

  test('more than a thousand fields are refused', () => {
    expect(() => parseForm('a=1&'.repeat(1_001))).toThrow('more than 1000 fields');
  });
});

test('queries', () => {
  expect(parseQuery('/?a=1&b=2&a=3&c=%20d&e&f=%zz')).toEqual({ a: ['1', '3'], b: '2', c: ' d', e: '', f: '%zz' });
  expect(parseQuery('/none')).toEqual({});
});

test('no text reaches a prototype or makes a parser throw', () => {
  const piece = fc.oneof(
    fc.constantFrom('[', ']', '&', '=', '__proto__', 'constructor', 'prototype', 'a', '%', '+', '0'),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      const form = parseForm(text);
      parseQuery(`/?${text}`);
      return Object.getPrototypeOf(form) === Object.prototype && !('polluted' in {}) && !Object.hasOwn(form, '__proto__');
    }),
  );
});
