import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock, sleep } from '../../src/clock.ts';
import { durationMs, formatGoDuration, parseGoDuration, parseIsoDuration } from '../../src/duration.ts';
import { KnativeError } from '../../src/errors.ts';
import { jsonClone, jsonEqual, mergePatch } from '../../src/json.ts';
import { createLogger } from '../../src/logger.ts';
import { createRandom, randomUuid } from '../../src/random.ts';

describe('virtual clock', () => {
  test('runs timers in order of time, then of creation, and stands still otherwise', () => {
    const clock = createVirtualClock(0);
    const log: string[] = [];
    clock.setTimer(20, () => log.push(`b@${clock.now()}`));
    clock.setTimer(10, () => {
      log.push(`a@${clock.now()}`);
      clock.setTimer(10, () => log.push(`c@${clock.now()}`));
    });
    const cancelled = clock.setTimer(15, () => log.push('never'));
    cancelled[Symbol.dispose]();
    clock.advanceSync(15);
    expect(log).toEqual(['a@10']);
    expect(clock.now()).toBe(15);
    expect(clock.nextDueMs()).toBe(20);
    clock.advanceSync(100);
    expect(log).toEqual(['a@10', 'b@20', 'c@20']);
    expect(clock.now()).toBe(115);
    expect(() => clock.setNow(3)).toThrow(expect.objectContaining({ code: 'KERNEL_CLOCK_ORDER' }));
  });

  test('fires every timer of a random set at its time, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 60 }), (delays) => {
        const clock = createVirtualClock(0);
        const fired: [number, number][] = [];
        delays.forEach((delay, index) => clock.setTimer(delay, () => fired.push([clock.now(), index])));
        clock.advanceSync(60);
        expect(fired).toEqual(
          delays.map((delay, index): [number, number] => [delay, index]).sort((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
      }),
    );
  });

  test('sleep ends by time or by abort', async () => {
    const clock = createVirtualClock(0);
    const done = sleep(clock, 10);
    clock.advanceSync(10);
    await done;
    const aborter = new AbortController();
    const cut = sleep(clock, 10, aborter.signal);
    aborter.abort(new Error('enough'));
    await expect(cut).rejects.toThrow('enough');
    expect(clock.nextDueMs()).toBeUndefined();
  });
});

describe('durations', () => {
  test.each([
    ['1h30m', 5_400_000],
    ['-1.5s', -1_500],
    ['100us', 0.1],
    ['.5s', 500],
    ['0', 0],
    ['', undefined],
    ['5', undefined],
    ['1d', undefined],
    ['1s ', undefined],
  ])('Go %j is %j ms', (text, ms) => expect(parseGoDuration(text)).toBe(ms));

  test.each([
    ['PT0.2S', 200],
    ['P1DT1M', 86_460_000],
    ['-PT5S', -5_000],
    ['P', undefined],
    ['PT', undefined],
    ['P1Y', undefined],
    ['5s', undefined],
  ])('ISO %j is %j ms', (text, ms) => expect(parseIsoDuration(text)).toBe(ms));

  test('what Go prints is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e10, max: 1e10 }), (ms) => {
        expect(parseGoDuration(formatGoDuration(ms))).toBeCloseTo(ms, 6);
      }),
    );
    expect([0, 90_000, 1.5, 0.0015, 3_600_000, 61_001].map(formatGoDuration)).toEqual([
      '0s',
      '1m30s',
      '1.5ms',
      '1.5µs',
      '1h0m0s',
      '1m1.001s',
    ]);
  });

  test('a bad option says which and what to write', () => {
    expect(() => durationMs('soon', 'window')).toThrow(
      expect.objectContaining({ code: 'KERNEL_INVALID_DURATION', path: 'window', message: 'window: "soon" is not a duration' }),
    );
    expect(() => durationMs(Number.NaN, 'window')).toThrow(KnativeError);
  });
});

describe('json', () => {
  test('a clone is equal and apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonEqual(value, jsonClone(value))).toBe(true);
        expect(jsonClone(value)).toEqual(value);
      }),
    );
    expect(jsonEqual({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(jsonEqual({ a: 1 }, { a: 1, b: null })).toBe(false);
    expect(jsonEqual({ b: undefined, c: 1 }, { a: 1 })).toBe(false);
  });

  test('merge patch as RFC 7396 says, prototypes out of reach', () => {
    expect(mergePatch({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: null, e: 3 }, d: [2, 3] })).toEqual({
      a: { c: 2, e: 3 },
      d: [2, 3],
    });
    expect(mergePatch(1, { a: { b: null } })).toEqual({ a: {} });
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

test('a seed gives one sequence, spread evenly', () => {
  const a = createRandom(42);
  const b = createRandom(42);
  const values = Array.from({ length: 10_000 }, () => a());
  expect(Array.from({ length: 10_000 }, () => b())).toEqual(values);
  expect(createRandom(43)()).not.toBe(values[0]);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
  expect(randomUuid(createRandom(1))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('errors are told by marker and code; loggers by level', () => {
  const error = new KnativeError('HOST_TEST', 'no', { path: 'a.b', hint: 'do', status: 400, cause: new Error('why') });
  expect(KnativeError.is(error)).toBe(true);
  expect(KnativeError.is(new Error('no'))).toBe(false);
  const lines: unknown[] = [];
  const logger = createLogger((level, fields, message) => lines.push([level, fields, message]), 'info', { app: 'x' }).child({
    pod: 'y',
  });
  logger.debug({}, 'hidden');
  logger.warn({ n: 1 }, 'shown');
  expect(lines).toEqual([['warn', { app: 'x', pod: 'y', n: 1 }, 'shown']]);
});
