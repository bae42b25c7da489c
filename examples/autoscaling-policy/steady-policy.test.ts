import { kpa, maxOf, scheduledFloor } from 'knative-embed/autoscaler';
import { runPolicy } from 'knative-embed/testing';
import { describe, expect, test } from 'vitest';
import { steady } from './steady-policy.ts';

const policy = steady({ perInstance: 10, stepDownMs: 30_000 });

describe('the steady policy', () => {
  const run = runPolicy(policy, {
    load: [
      { for: '2m', concurrency: 45 },
      { for: '10m', concurrency: 0 },
    ],
    podStart: '4s',
  });

  test('climbs one by one, each time after the last one is ready', () => {
    expect(run.at('2m')).toMatchObject({ desired: 6, readyPods: 6 });
    const climbs = run.changes.filter(({ atMs }) => atMs <= 120_000);
    expect(climbs.map(({ replicas }) => replicas)).toEqual([1, 2, 3, 4, 5, 6]);
    climbs.slice(1).forEach(({ atMs }, index) => expect(atMs - (climbs[index]?.atMs ?? 0)).toBeGreaterThanOrEqual(4_000));
  });

  test('goes down slowly, and to zero', () => {
    expect(run.at('3m').desired).toBeGreaterThanOrEqual(4);
    expect(run.at('12m').desired).toBe(0);
  });

  test('says why', () => {
    expect(run.at('20s').explanation).toMatchObject({ mode: 'climbing', observed: { load: 45, needed: 6 } });
  });

  test('keeps to the bounds of its revision', () => {
    const bounded = runPolicy(policy, {
      load: [{ for: '5m', concurrency: 500 }],
      annotations: { 'max-scale': '3', 'min-scale': '2' },
    });
    expect(bounded.at('2s').replicas).toBe(2);
    expect(bounded.maxReplicas).toBe(3);
  });

  test('combines with others: panic of the KPA, and a floor before noon', async () => {
    const combined = await scheduledFloor(maxOf(policy, kpa({ target: 10 })), [
      { cron: '0 9 * * *', timeZone: 'Europe/Zurich', duration: '3h', min: 4 },
    ]);
    const morning = runPolicy(combined, {
      load: [
        { for: '5m', concurrency: 0 },
        { for: '1m', concurrency: 100 },
      ],
      startMs: Date.parse('2026-01-12T07:58:00Z'),
    });
    expect(morning.at('1m').desired).toBe(0);
    expect(morning.at('3m').desired).toBe(4);
    expect(morning.at('5m30s').desired).toBeGreaterThanOrEqual(15);
  });
});
