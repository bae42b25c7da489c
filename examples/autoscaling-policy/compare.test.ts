import { expect, test } from 'vitest';
import { morning } from './compare.ts';

test('one instance at a time is cheap, and slow when the load jumps', async () => {
  const comparison = morning();
  const [target, delayed, steady] = comparison.table();
  expect(new Set(comparison.runs.map(({ summary }) => summary.requests)).size).toBe(1);
  expect(steady?.cost).toBeLessThan(target?.cost ?? 0);
  expect(steady?.p95Ms).toBeGreaterThan((target?.p95Ms ?? Infinity) * 2);
  expect(delayed?.cost).toBeGreaterThan(target?.cost ?? Infinity);
  expect(await comparison.toHtml()).toContain('3 runs on the same load');
});
