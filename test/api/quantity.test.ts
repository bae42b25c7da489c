import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalQuantity, compareQuantities, milliValue, parseQuantity, wholeValue } from '../../src/quantity.ts';

test.each([
  ['1000m', '1'],
  ['100m', '100m'],
  ['0.5', '500m'],
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['1e3', '1e3'],
  ['1500', '1500'],
  ['1000', '1k'],
  ['-2', '-2'],
  ['+3', '+3'],
  ['3.', '3.'],
  ['4E6', '4E6'],
  ['2.005', '2.005'],
  ['2.050', '2.050'],
  ['2.05', '2050m'],
  ['07', '07'],
  ['12000m', '12'],
  ['8Mi', '8Mi'],
  ['2048Ki', '2Mi'],
  [' 5 ', '5'],
  ['.', '0'],
  ['9223372036854775809', '9223372036854775809'],
  ['16Ei', '9223372036854775807'],
  ['0', '0'],
  ['0Mi', '0'],
  ['640M', '640M'],
  ['1.5k', '1500'],
])('%s is printed %s', (text, canonical) => {
  expect(canonicalQuantity(text)).toBe(canonical);
});

test.each(['', 'lots', '1 Gi', '2GG', '1.2.3', '--1', '1K', ' 1'])('%j is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

test('values round up', () => {
  const value = parseQuantity('1500u');
  expect(value && milliValue(value)).toBe(2);
  expect(value && wholeValue(value)).toBe(1);
});

test('the canonical text is stable and of equal value', () => {
  const text = fc
    .tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e2'))
    .map(([number, suffix]) => `${number}${suffix}`);
  fc.assert(
    fc.property(text, (written) => {
      const canonical = canonicalQuantity(written);
      const [a, b] = [parseQuantity(written), parseQuantity(canonical ?? '')];
      expect(a && b && compareQuantities(a, b)).toBe(0);
      expect(canonicalQuantity(canonical ?? '')).toBe(canonical);
    }),
  );
});
