import { describe, expect, test } from 'vitest';
import { kpa, requestPerInstance, type Policy } from '../../src/autoscaler/index.ts';
import { runPolicy } from '../../src/testing/policy-run.ts';

describe('runPolicy', () => {
  test('scales the KPA up in a burst and lets it down after the stable window', () => {
    const run = runPolicy(kpa({ target: 10 }), {
      load: [
        { for: '1m', concurrency: 5 },
        { for: '2m', concurrency: 100 },
        { for: '5m', concurrency: 5 },
      ],
      readyPods: 1,
      podStart: '2s',
    });
    expect(run.at('50s').desired).toBe(1);
    expect(run.at('1m4s').explanation?.mode).toBe('panic');
    expect(run.at('3m').desired).toBe(15);
    expect(run.at('8m').desired).toBe(1);
    expect(run.between('1m', '3m').every(({ valid }) => valid)).toBe(true);
  });

  test('a request at zero is decided on at once', () => {
    const run = runPolicy(kpa(), {
      load: (second) => ({ concurrency: second >= 121 ? 1 : second < 10 ? 1 : 0 }),
      duration: '3m',
    });
    expect(run.at('2m').desired).toBe(0);
    expect(run.changes.find(({ atMs, replicas }) => atMs > 120_000 && replicas === 1)).toEqual({ atMs: 121_000, replicas: 1 });
  });

  test('instances get ready after their time, and start as many as are missing', () => {
    const run = runPolicy(requestPerInstance({ keepAlive: '1m' }), { load: [{ for: '30s', concurrency: 3 }], podStart: '10s' });
    expect(run.at('2s')).toMatchObject({ desired: 3, replicas: 3, readyPods: 0 });
    expect(run.at('10s').readyPods).toBe(0);
    expect(run.at('14s').readyPods).toBe(3);
  });

  test('shows a policy that breaks, and the wish that stays', () => {
    let calls = 0;
    const broken: Policy<undefined> = {
      name: 'broken',
      metrics: () => [],
      initial: () => undefined,
      decide: () => ({ desired: ++calls > 3 ? 0.5 : 2, excessBurstCapacity: 0, valid: true }),
    };
    const run = runPolicy(broken, { load: [{ for: '20s', concurrency: 1 }] });
    expect(run.at('20s')).toMatchObject({ desired: 2, rejected: expect.stringContaining('0.5') as string });
    expect(run.at('6s').rejected).toBeUndefined();
  });

  test('refuses what it cannot run', () => {
    expect(() => runPolicy(kpa(), { load: () => ({ concurrency: 1 }) })).toThrow(/duration/);
    expect(() => runPolicy(kpa(), { load: [], config: { 'stable-window': '1s' } })).toThrow(/stable-window/);
    expect(() => runPolicy(kpa(), { load: [{ for: '1s', concurrency: 1 }] }).at('1s')).toThrow(/no decision/);
  });
});
