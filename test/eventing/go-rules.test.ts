import { describe, expect, test } from 'vitest';
import { parsePeriod } from '../../src/cloudevents/delivery-period.ts';
import { retryPolicyOf, retryWaitMs } from '../../src/cloudevents/delivery-retry.ts';
import { parseEventingConfig } from '../../src/eventing/config/config-maps.ts';
import { compileFilter } from '../../src/eventing/filters/compile-filter.ts';
import { compileSenderRule, senderRulesAllow } from '../../src/eventing/filters/event-policy.ts';

const event = { specversion: '1.0', id: '7', source: '/here', type: 'made', count: 3 };

test('an expression without a boolean does not pass, nor does its opposite; an error is false', () => {
  expect(compileFilter({ filters: [{ not: { cesql: 'count' } }] }).evaluate(event)).toBe('fail');
  expect(compileFilter({ filters: [{ not: { cesql: 'absent = 1' } }] }).evaluate(event)).toBe('pass');
});

test('subjects compare letter by letter, whatever their case', () => {
  const allows = (pattern: string, subject: string): boolean =>
    senderRulesAllow([compileSenderRule({ subjects: [pattern] })], subject, event);
  expect(allows('ſam', 'SAM')).toBe(true);
  expect(allows('\u212aim', 'kim')).toBe(true);
  expect(allows('straße', 'STRASSE')).toBe(false);
});

describe('config maps are read as by a Go parser', () => {
  const brokerDefaults = (text: string): unknown => parseEventingConfig('config-br-defaults', { 'default-br-config': text });

  test('the last of two equal keys counts', () => {
    const text = 'clusterDefault:\n  brokerClass: One\n  brokerClass: Two\n';
    expect(brokerDefaults(text)).toEqual({ parsed: { clusterDefault: { brokerClass: 'Two' } } });
  });

  test('a text that begins indented ends where the indentation does', () => {
    expect(brokerDefaults('  clusterDefault:\n    brokerClass: One\nclusterDefault:\n  brokerClass: Two\n')).toEqual({
      parsed: { clusterDefault: { brokerClass: 'One' } },
    });
  });

  test('null is no selector', () => {
    expect(parseEventingConfig('config-sugar', { 'trigger-selector': 'null' })).toEqual({
      parsed: { NamespaceSelector: null, TriggerSelector: null },
    });
  });

  test('a tab does not indent', () => {
    expect(brokerDefaults('\tclusterDefault: {}')).toMatchObject({ error: expect.stringContaining('cannot start any token') });
  });
});

test('a negative delay is none, and a period of more than 292 years starts again below zero', () => {
  const policy = retryPolicyOf({ retry: 2, backoffPolicy: 'linear', backoffDelay: '-PT9S' });
  expect(retryWaitMs(policy, 2, { status: 500 }, 0)).toBe(0);
  expect(parsePeriod('P300Y')).toMatchObject({
    isNegative: false,
    milliseconds: expect.closeTo(300 * 31_556_952_000 - 2 ** 64 / 1e6, -3),
  });
});
