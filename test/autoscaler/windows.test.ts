import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWindow, LinearWindow, MaxWindow, PeakWindow, WeightedWindow } from '../../src/autoscaler/index.ts';
import { KnativeError } from '../../src/errors.ts';

const startMs = 1_700_000_000_000;

/** The full sum, bucket by bucket, as the reference computes it. */
class FullSum {
  readonly #values = new Map<number, number>();
  readonly #count: number;
  #last = -Infinity;
  constructor(buckets: number) {
    this.#count = buckets;
  }
  record(nowMs: number, value: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second <= this.#last - this.#count) return;
    if (second - this.#last >= this.#count) this.#values.clear();
    this.#last = Math.max(this.#last, second);
    this.#values.set(second, (this.#values.get(second) ?? 0) + value);
  }
  average(nowMs: number): number {
    const smoothing = Math.max(1 - 0.0001 ** (1 / this.#count), 0.2);
    const now = Math.max(Math.floor(nowMs / 1_000), this.#last);
    let weight = smoothing * (1 - smoothing) ** (now - this.#last);
    let sum = 0;
    for (let second = this.#last; second > now - this.#count; second--) {
      const value = this.#values.get(second) ?? 0;
      sum += value * weight;
      weight *= 1 - smoothing;
    }
    return sum;
  }
}

// Values that a subtracting recursion gets wrong: huge next to tiny, cancelling pairs, zeros, denormals.
const adversarial = fc.oneof(
  fc.constantFrom(0, 1, -1, 1e15, -1e15, 1e-15, 1e-300, 5e-324, 0.1, -0.1),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.double({ min: 0, max: 100, noNaN: true }),
);
const step = fc.record({
  advanceMs: fc.oneof(fc.integer({ min: 0, max: 2_500 }), fc.integer({ min: 0, max: 90_000 }), fc.constant(1_000)),
  lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 70_000 })),
  value: adversarial,
});

describe('weighted window', () => {
  test.each([6, 41, 60, 3_600])('equals the full sum over %i buckets, whatever is recorded', (buckets) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const window = new WeightedWindow(buckets * 1_000);
        const full = new FullSum(buckets);
        let nowMs = startMs;
        for (const { advanceMs, lateMs, value } of steps) {
          nowMs += advanceMs;
          window.record(nowMs - lateMs, value);
          full.record(nowMs - lateMs, value);
          if (window.isEmpty(nowMs)) continue;
          const sum = full.average(nowMs);
          const got = window.average(nowMs);
          if (Math.abs(got - sum) > 1e-9 * Math.abs(sum)) {
            throw new Error(`after ${nowMs - startMs} ms: ${got} instead of ${sum}`);
          }
        }
      }),
      { numRuns: buckets > 1_000 ? 30 : 200 },
    );
  });

  test('a long run of ordinary load stays exact, reads with nothing new included', () => {
    const window = new WeightedWindow(3_600_000);
    const full = new FullSum(3_600);
    for (let second = 0; second < 10_000; second++) {
      const nowMs = startMs + second * 1_000;
      window.record(nowMs, 50 + (second % 37));
      full.record(nowMs, 50 + (second % 37));
      for (const laterMs of second % 500 === 0 ? [0, 1_000, 30_000, 3_599_000] : [0]) {
        const sum = full.average(nowMs + laterMs);
        expect(Math.abs(window.average(nowMs + laterMs) - sum)).toBeLessThanOrEqual(1e-9 * sum);
      }
    }
  }, 30_000);

  test('a value that has left the window leaves nothing behind', () => {
    const window = new WeightedWindow(60_000);
    window.record(startMs, 1e15);
    for (let second = 1; second < 120; second++) window.record(startMs + second * 1_000, 0);
    expect(window.average(startMs + 119_000)).toBe(0);
  });

  test('the oldest tiny share counts until it leaves', () => {
    const window = new WeightedWindow(3_600_000);
    window.record(startMs, 100);
    window.record(startMs + 3_000_000, 0);
    expect(window.average(startMs + 3_000_000)).toBeGreaterThan(0);
  });
});

describe('linear window', () => {
  test('rounds halves away from zero, on both sides', () => {
    for (const sign of [1, -1]) {
      const window = new LinearWindow(60_000);
      window.record(startMs, sign * 0.000001);
      window.record(startMs + 1_000, 0);
      expect(window.average(startMs + 1_000)).toBe(sign * 0.000001);
    }
  });

  test('stays at its level when reports stop, is 0 at the age of a window and empty after', () => {
    const window = new LinearWindow(6_000);
    for (let second = 0; second < 6; second++) window.record(startMs + second * 1_000, 12);
    const lastMs = startMs + 5_000;
    expect([0, 3_000, 5_000].map((ageMs) => window.average(lastMs + ageMs))).toEqual([12, 12, 12]);
    expect(window.average(lastMs + 6_000)).toBe(0);
    expect(window.isEmpty(lastMs + 6_000)).toBe(false);
    expect(window.isEmpty(lastMs + 7_000)).toBe(true);
  });

  test('is never above the largest sum of a second', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 200 }), (values) => {
        const window = new LinearWindow(60_000);
        values.forEach((value, second) => window.record(startMs + second * 1_000, value));
        expect(window.average(startMs + (values.length - 1) * 1_000)).toBeLessThanOrEqual(Math.max(...values) + 1e-6);
      }),
    );
  });
});

describe('every window', () => {
  test.each(['linear', 'weighted-exponential', 'maximum'] as const)(
    '%s refuses what would poison it and changes nothing',
    (kind) => {
      const window = createWindow(kind, 60_000);
      window.record(startMs, 7);
      const before = window.average(startMs);
      for (const value of [NaN, Infinity, -Infinity, 1e300]) {
        expect(() => window.record(startMs, value)).toThrow(KnativeError);
      }
      for (const timeMs of [NaN, Infinity, -1, 1e300]) expect(() => window.record(timeMs, 1)).toThrow(/time/);
      expect(window.average(startMs)).toBe(before);
    },
  );

  test.each(['linear', 'weighted-exponential'] as const)(
    '%s: resizing to the same data gives what a fresh window would',
    (kind) => {
      const resized = createWindow(kind, 60_000);
      const fresh = createWindow(kind, 20_000);
      for (let second = 0; second < 100; second++) {
        resized.record(startMs + second * 1_000, second % 7);
        fresh.record(startMs + second * 1_000, second % 7);
      }
      resized.resize(startMs + 99_000, 20_000);
      expect(resized.average(startMs + 99_000)).toBeCloseTo(fresh.average(startMs + 99_000), 9);
    },
  );

  test('impossible lengths are refused', () => {
    expect(() => createWindow('linear', 0)).toThrow(/not possible/);
    expect(() => createWindow('linear', NaN)).toThrow(KnativeError);
    expect(() => createWindow('linear', 1e12)).toThrow(KnativeError);
  });
});

test('the maximum window equals a search through all values', () => {
  const record = fc.record({ advanceMs: fc.integer({ min: 0, max: 9_000 }), value: fc.integer({ min: 0, max: 50 }) });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 200 }), (records) => {
      const window = new MaxWindow(20_000, 2_000);
      const all: { slot: number; value: number }[] = [];
      let nowMs = startMs;
      for (const { advanceMs, value } of records) {
        nowMs += advanceMs;
        window.record(nowMs, value);
        const slot = Math.floor(nowMs / 2_000);
        all.push({ slot, value });
        expect(window.current()).toBe(Math.max(...all.filter((past) => slot - past.slot < 10).map((past) => past.value)));
      }
    }),
  );
});

test('the peak window keeps the busiest second, and lets it go', () => {
  const window = new PeakWindow(10_000);
  window.record(startMs, 3);
  window.record(startMs, 4);
  window.record(startMs + 1_000, 1);
  expect(window.average(startMs + 9_000)).toBe(7);
  expect(window.average(startMs + 10_000)).toBe(1);
  expect(window.average(startMs + 30_000)).toBe(0);
});
