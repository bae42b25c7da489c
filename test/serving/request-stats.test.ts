import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ActivatorStats } from '../../src/serving/activator-stats.ts';
import { decodeQueueStat, encodeQueueStat, makeQueueStat } from '../../src/serving/queue-report.ts';
import { RequestStats } from '../../src/serving/request-stats.ts';

describe('request statistics', () => {
  test('two requests of half a second within one second are one on average', () => {
    const stats = new RequestStats(0);
    stats.arrive(0);
    stats.leave(500);
    stats.arrive(500);
    stats.leave(1_000);
    expect(stats.report(1_000)).toEqual({
      averageConcurrentRequests: 1,
      averageProxiedConcurrentRequests: 0,
      requestCount: 2,
      proxiedRequestCount: 0,
    });
  });

  test('requests through an activator count in both columns, and open ones go on into the next period', () => {
    const stats = new RequestStats(0);
    stats.arrive(0, true);
    expect(stats.report(1_000)).toMatchObject({
      averageConcurrentRequests: 1,
      averageProxiedConcurrentRequests: 1,
      proxiedRequestCount: 1,
    });
    expect(stats.report(2_000)).toMatchObject({
      averageConcurrentRequests: 1,
      averageProxiedConcurrentRequests: 1,
      requestCount: 0,
    });
    stats.leave(2_000, true);
    expect(stats.report(3_000)).toMatchObject({ averageConcurrentRequests: 0, averageProxiedConcurrentRequests: 0 });
  });

  test('equals the sum of the times of all requests', () => {
    const request = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999 }));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 50 }), (requests) => {
        const events = requests.flatMap(([a, b]) => [
          { atMs: Math.min(a, b), in: true },
          { atMs: Math.max(a, b), in: false },
        ]);
        events.sort((a, b) => a.atMs - b.atMs || Number(b.in) - Number(a.in));
        const stats = new RequestStats(0);
        for (const event of events) {
          if (event.in) stats.arrive(event.atMs);
          else stats.leave(event.atMs);
        }
        const busyMs = requests.reduce((sum, [a, b]) => sum + Math.abs(a - b), 0);
        expect(stats.report(1_000).averageConcurrentRequests).toBeCloseTo(busyMs / 1_000, 9);
        expect(stats.concurrency).toBe(0);
      }),
    );
  });
});

describe('the activator', () => {
  test('reports the first request of a revision at once and takes it off the next report', () => {
    const stats = new ActivatorStats();
    expect(stats.requestIn('default/a', 100)).toEqual({ revision: 'default/a', averageConcurrentRequests: 1, requestCount: 1 });
    expect(stats.requestIn('default/a', 200)).toBeUndefined();
    const [stat] = stats.report(1_100);
    expect(stat).toMatchObject({ revision: 'default/a', requestCount: 1 });
    expect(stat?.averageConcurrentRequests).toBeCloseTo(0.9, 9);
  });

  test('forgets a revision after a period without load', () => {
    const stats = new ActivatorStats();
    stats.requestIn('default/a', 0);
    stats.requestOut('default/a', 10);
    stats.report(1_000);
    expect(stats.size).toBe(1);
    expect(stats.report(2_000)).toEqual([{ revision: 'default/a', averageConcurrentRequests: 0, requestCount: 0 }]);
    expect(stats.size).toBe(0);
    stats.requestOut('default/a', 2_500);
    expect(stats.report(3_000)).toEqual([]);
  });
});

describe('the body of a scrape', () => {
  const number = fc.double({ min: 0, max: 1e9, noNaN: true });

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: 'grapheme' }), number, number, number, number, (podName, a, b, c, d) => {
        const report = {
          averageConcurrentRequests: a,
          averageProxiedConcurrentRequests: b,
          requestCount: c,
          proxiedRequestCount: d,
        };
        const stat = makeQueueStat(podName, report, 1_000, 5_000);
        expect(decodeQueueStat(encodeQueueStat(stat))).toEqual(stat);
      }),
    );
  });

  test('anything else is refused or read in part, never fatal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        const stat = decodeQueueStat(body);
        expect(stat === undefined || typeof stat.podName === 'string').toBe(true);
      }),
    );
  });
});
