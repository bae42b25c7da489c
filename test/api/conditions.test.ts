import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCondition, livingConditionSet, manageConditions, batchConditionSet } from '../../src/api/conditions.ts';

const set = livingConditionSet('A', 'B');
const at = Date.parse('2024-01-01T00:00:00Z');
const shown = (conditions: readonly { type: string; status: string; reason?: string }[]): string[] =>
  conditions.map(({ type, status, reason }) => `${type}=${status}${reason === undefined ? '' : ` ${reason}`}`);

test('initialising makes what is missing Unknown, and leaves the rest', () => {
  const manager = manageConditions(set, [{ type: 'A', status: 'False', reason: 'x' }], at);
  manager.initialize();
  expect(shown(manager.conditions)).toEqual(['A=False x', 'B=Unknown', 'Ready=Unknown']);
});

test('a happy object gets new dependents as True', () => {
  const manager = manageConditions(set, [{ type: 'Ready', status: 'True' }], at);
  manager.initialize();
  expect(shown(manager.conditions)).toEqual(['A=True', 'B=True', 'Ready=True']);
});

test('Ready follows the dependents: False before Unknown, True when all are', () => {
  const manager = manageConditions(set, undefined, at);
  manager.initialize();
  manager.markFalse('A', 'Broken', 'it broke');
  expect(shown(manager.conditions)).toContain('Ready=False Broken');
  manager.markUnknown('B', 'Waiting');
  expect(shown(manager.conditions)).toContain('Ready=False Broken');
  manager.markTrue('A');
  expect(shown(manager.conditions)).toContain('Ready=Unknown Waiting');
  manager.markTrue('B');
  expect(manager.isHappy()).toBe(true);
});

test('a condition beside the set has severity Info and does not count', () => {
  const manager = manageConditions(set, undefined, at);
  manager.initialize();
  manager.markTrue('A');
  manager.markTrue('B');
  manager.markFalse('Active', 'NoTraffic');
  expect(findCondition(manager.conditions, 'Active')?.severity).toBe('Info');
  expect(manager.isHappy()).toBe(true);
  manager.clear('Active');
  manager.clear('A');
  expect(manager.conditions.map(({ type }) => type)).toEqual(['A', 'B', 'Ready']);
});

test('the transition time moves only with a change', () => {
  const first = manageConditions(set, undefined, at);
  first.initialize();
  const second = manageConditions(set, first.conditions, at + 60_000);
  second.initialize();
  second.markTrue('A');
  expect(second.get('B')?.lastTransitionTime).toBe('2024-01-01T00:00:00Z');
  expect(second.get('A')?.lastTransitionTime).toBe('2024-01-01T00:01:00Z');
});

test('a batch set sums up as Succeeded', () => {
  expect(batchConditionSet('Done', 'Succeeded', 'Done')).toEqual({ happy: 'Succeeded', dependents: ['Done'] });
});

test('whatever is marked, stored conditions are not touched and Ready is True only when all dependents are', () => {
  const step = fc.record({ type: fc.constantFrom('A', 'B', 'Other'), status: fc.constantFrom('True', 'False', 'Unknown') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const stored = Object.freeze([Object.freeze({ type: 'A', status: 'Unknown' as const })]);
      const manager = manageConditions(set, stored, at);
      manager.initialize();
      for (const { type, status } of steps) {
        if (status === 'True') manager.markTrue(type);
        else if (status === 'False') manager.markFalse(type, 'F');
        else manager.markUnknown(type, 'U');
      }
      const allTrue = ['A', 'B'].every((type) => manager.get(type)?.status === 'True');
      if (steps.length > 0 && steps.at(-1)?.status === 'True') expect(manager.isHappy()).toBe(allTrue);
      if (manager.isHappy()) expect(allTrue).toBe(true);
    }),
  );
});
