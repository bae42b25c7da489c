import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  coolDown,
  explain,
  hpa,
  kpa,
  maxOf,
  predictive,
  requestPerInstance,
  scheduledFloor,
  type Decision,
  type Observation,
  type Policy,
} from '../../src/autoscaler/index.ts';
import { IdleHistogram } from '../../src/autoscaler/policies/idle-histogram.ts';
import { observe, specFor, startMs } from './deciders.ts';

const spec = specFor();
const second = 1_000;
const minute = 60_000;

/** Wants whatever it is told to. */
function told(name: string): Policy<undefined> & { desired: number; valid: boolean; burst: number } {
  const policy = {
    name,
    desired: 0,
    burst: 0,
    valid: true,
    metrics: () => [{ metric: 'concurrency', windowMs: 10_000, aggregation: 'linear' } as const],
    initial: () => undefined,
    decide: (): Decision => ({ desired: policy.desired, excessBurstCapacity: policy.burst, valid: policy.valid }),
  };
  return policy;
}

function start<State>(policy: Policy<State>, first: Observation = observe(spec, 1, [0, 0, 0])) {
  const state = policy.initial(first, startMs);
  return (atMs: number, observation: Observation = first): Decision => policy.decide(observation, state, startMs + atMs);
}

describe('maxOf', () => {
  test('takes the largest wish and the smallest spare capacity', () => {
    const [a, b] = [told('a'), told('b')];
    const decide = start(maxOf(a, b));
    Object.assign(a, { desired: 3, burst: 5 });
    Object.assign(b, { desired: 2, burst: -1 });
    const decision = decide(0);
    expect(decision).toMatchObject({ desired: 3, excessBurstCapacity: -1, valid: true });
    expect(explain(decision).sentence).toBe('The largest of a 3, b 2: 3 wanted, by a.');
  });

  test('a policy without data keeps its last wish; without any data at all nothing is decided', () => {
    const [a, b] = [told('a'), told('b')];
    const decide = start(maxOf(a, b));
    a.valid = b.valid = false;
    expect(decide(0).valid).toBe(false);
    Object.assign(a, { valid: true, desired: 7 });
    decide(1);
    Object.assign(a, { valid: false, desired: 0 });
    Object.assign(b, { valid: true, desired: 2 });
    expect(decide(2)).toMatchObject({ desired: 7, valid: true });
  });

  test('a broken part is not hidden by a sound one', () => {
    const [a, b] = [told('a'), told('b')];
    const decide = start(maxOf(a, b));
    a.desired = 3;
    b.desired = NaN;
    expect(decide(0).desired).toBeNaN();
  });

  test('keeps each window once and gives every part its own', () => {
    const policy = maxOf(kpa(), kpa({ window: '30s' }), kpa());
    expect(policy.metrics(spec)).toHaveLength(4);
    const decide = start(policy, observe(spec, 0, [0, 0, 0, 0]));
    // Only the 30 s window of the second one sees load.
    expect(decide(0, observe(spec, 1, [0, 0, 300, 0]))).toMatchObject({ desired: 5 });
  });
});

describe('scheduledFloor', () => {
  // 2023-11-14 was a Tuesday; the clock starts at 22:13:20 UTC, 23:13:20 in Berlin.
  test('holds the floor in its window and nowhere else, in its time zone', async () => {
    const base = told('base');
    base.desired = 1;
    const decide = start(
      await scheduledFloor(base, [{ cron: '30 23 * * 1-5', timeZone: 'Europe/Berlin', duration: '15m', min: 5 }]),
    );
    const at = (hhmm: string): number => Date.parse(`2023-11-14T${hhmm}:00Z`) - startMs;
    expect(['22:29', '22:30', '22:44', '22:45'].map((time) => decide(at(time)).desired)).toEqual([1, 5, 5, 1]);
    base.desired = 9;
    expect(decide(at('22:35')).desired).toBe(9);
  });

  test('follows the change to summer time', async () => {
    const base = told('base');
    const decide = start(await scheduledFloor(base, [{ cron: '0 8 * * *', timeZone: 'Europe/Berlin', duration: '1h', min: 2 }]));
    const at = (time: string): number => Date.parse(time) - startMs;
    expect(decide(at('2024-03-30T07:30:00Z')).desired).toBe(2);
    expect(decide(at('2024-03-31T06:30:00Z')).desired).toBe(2);
    expect(decide(at('2024-03-31T07:30:00Z')).desired).toBe(0);
  });

  test('is held without data, together with what is ready', async () => {
    const base = told('base');
    base.valid = false;
    const decide = start(await scheduledFloor(base, [{ cron: '* * * * *', duration: '1m', min: 2 }]), observe(spec, 4, []));
    expect(decide(minute)).toMatchObject({ desired: 4, valid: true, excessBurstCapacity: 4 * 100 - 211 });
  });

  test.each([
    [{ cron: 'nonsense', duration: '1m', min: 1 }, 'floors[0].cron'],
    [{ cron: '* * * * *', timeZone: 'Mars/Olympus', duration: '1m', min: 1 }, 'floors[0].cron'],
    [{ cron: '* * * * *', duration: '0s', min: 1 }, 'floors[0].duration'],
    [{ cron: '* * * * *', duration: '1m', min: 1.5 }, 'floors[0].min'],
  ])('%j is refused', async (floor, path) => {
    await expect(scheduledFloor(told('base'), [floor])).rejects.toMatchObject({ code: 'AUTOSCALER_INVALID_OPTION', path });
  });
});

describe('coolDown', () => {
  test('holds back per direction, never the way up from zero', () => {
    const base = told('base');
    const decide = start(coolDown(base, { scaleDown: '60s', scaleUp: '10s' }));
    const timeline: [number, number][] = [
      [0, 0],
      [2, 5],
      [4, 8],
      [12, 8],
      [14, 3],
      [60, 3],
      [72, 3],
    ];
    const wanted = timeline.map(([at, desired]) => {
      base.desired = desired;
      return decide(at * second).desired;
    });
    expect(wanted).toEqual([0, 5, 5, 8, 8, 8, 3]);
  });

  test('explains what it holds', () => {
    const base = told('base');
    const decide = start(coolDown(base, { scaleDown: '60s' }));
    base.desired = 5;
    decide(0);
    base.desired = 2;
    expect(explain(decide(second))).toMatchObject({
      mode: 'cooling-down',
      desired: 5,
      steps: [{ rule: 'cool-down', before: 2, after: 5 }],
    });
  });
});

describe('requestPerInstance', () => {
  test('wants one instance per request of the busiest second', () => {
    const policy = requestPerInstance({ keepAlive: '5m' });
    expect(policy.metrics(spec)[0]).toEqual({ metric: 'concurrency', windowMs: 300_000, aggregation: 'maximum' });
    const decide = start(policy);
    expect(decide(0, observe(spec, 2, [2.4, 0.5])).desired).toBe(3);
    expect(decide(0, observe(spec, 2, [0, 0])).desired).toBe(0);
    expect(decide(0, observe(spec, undefined, [0, 0])).valid).toBe(false);
  });

  test('takes several requests per instance', () => {
    expect(start(requestPerInstance({ requestsPerInstance: 10 }))(0, observe(spec, 2, [25, 0])).desired).toBe(3);
    expect(() => requestPerInstance({ requestsPerInstance: 0 })).toThrow(/positive/);
  });
});

describe('hpa', () => {
  test('acts every 15 s, ignores small deviations, and keeps what it had before a scale down', () => {
    const decide = start(hpa({ target: 10, maxReplicas: 50 }), observe(spec, 4, [40]));
    expect(decide(0, observe(spec, 4, [43])).desired).toBe(4);
    expect(decide(2_000, observe(spec, 4, [400])).desired).toBe(4);
    expect(decide(15_000, observe(spec, 4, [75])).desired).toBe(8);
    expect(decide(30_000, observe(spec, 8, [10])).desired).toBe(8);
    expect(decide(360_000, observe(spec, 8, [10])).desired).toBe(1);
  });

  test('limits the rate by its scaling rules', () => {
    const behavior = {
      scaleUp: { policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] },
      scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
    };
    const decide = start(hpa({ target: 10, behavior }), observe(spec, 2, [20]));
    const up = decide(0, observe(spec, 2, [100]));
    expect(up.desired).toBe(4);
    expect(explain(up).steps).toEqual([{ rule: 'ScaleUpLimit', before: 10, after: 4 }]);
    expect(decide(15_000, observe(spec, 4, [100])).desired).toBe(4);
    expect(decide(75_000, observe(spec, 4, [100])).desired).toBe(6);
  });

  test('decides nothing before it has data, and refuses bad rules', () => {
    expect(start(hpa())(0, observe(spec, 1, [NaN])).valid).toBe(false);
    expect(() => hpa({ minReplicas: 0 })).toThrow(/minReplicas/);
    expect(() => hpa({ maxReplicas: 0 })).toThrow(expect.objectContaining({ code: 'AUTOSCALER_INVALID_OPTION' }) as Error);
  });

  test('stays within its bounds whatever is measured', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 50 }), (totals) => {
        const decide = start(hpa({ target: 10, minReplicas: 2, maxReplicas: 30 }), observe(spec, 2, [20]));
        totals.forEach((total, index) => {
          const { desired } = decide(index * 15_000, observe(spec, 5, [total]));
          expect(desired).toBeGreaterThanOrEqual(2);
          expect(desired).toBeLessThanOrEqual(30);
          expect(Number.isInteger(desired)).toBe(true);
        });
      }),
    );
  });
});

describe('predictive', () => {
  // The told policy has one window; the second is where activity is looked for.
  const busy = observe(spec, 1, [0, 1]);
  const idle = observe(spec, 1, [0, 0]);

  /** Runs bursts of one tick with the given idle times in minutes between them, ticking every 2 s; ends after the last burst. */
  function run(idleMinutes: readonly number[]) {
    const decide = start(predictive(told('base')), idle);
    let atMs = 0;
    decide(atMs, busy);
    for (const minutes of idleMinutes) {
      const untilMs = atMs + minutes * minute;
      for (let tickMs = atMs + 2_000; tickMs < untilMs; tickMs += 2_000) decide(tickMs, idle);
      atMs = untilMs;
      decide(atMs, busy);
    }
    return { atMs, decide };
  }

  test('keeps an instance for the whole range until it knows better', () => {
    const { atMs, decide } = run([]);
    expect(decide(atMs + 3 * 60 * minute, idle).desired).toBe(1);
    expect(decide(atMs + 4 * 60 * minute, idle).desired).toBe(0);
  });

  test('lets go after a request and is warm again before the next one usually comes', () => {
    const { atMs, decide } = run(Array.from({ length: 20 }, () => 30));
    const modes = [1, 20, 26, 28, 30, 33, 36, 60].map((after) => {
      const decision = decide(atMs + after * minute, idle);
      return [explain(decision).mode, decision.desired];
    });
    expect(modes).toEqual([
      ['waiting', 0],
      ['waiting', 0],
      ['waiting', 0],
      ['warm', 1],
      ['warm', 1],
      ['warm', 1],
      ['cold', 0],
      ['cold', 0],
    ]);
    expect(decide(atMs + minute, idle).nextCheckMs).toBe(startMs + atMs + 27 * minute);
  });

  test('foresees rare regular calls by their series', () => {
    const { atMs, decide } = run(Array.from({ length: 12 }, () => 360));
    expect(explain(decide(atMs + 350 * minute, idle))).toMatchObject({ mode: 'warm', desired: 1 });
    expect(decide(atMs + 200 * minute, idle).desired).toBe(0);
  });

  test('leaves load to the policy below', () => {
    const base = told('base');
    base.desired = 6;
    const decide = start(predictive(base), busy);
    expect(decide(0, busy)).toMatchObject({ desired: 6 });
    base.valid = false;
    expect(decide(2_000, busy)).toMatchObject({ desired: 1, valid: true });
  });

  test.each([{ bin: '1ms' }, { range: '10s' }, { headPercentile: 99, tailPercentile: 5 }, { samplesMin: 0 }])(
    '%j is refused',
    (options) => {
      expect(() => predictive(told('base'), options)).toThrow(
        expect.objectContaining({ code: 'AUTOSCALER_INVALID_OPTION' }) as Error,
      );
    },
  );

  test('a histogram without a shape is not believed', () => {
    const options = {
      binMs: minute,
      bins: 240,
      headPercentile: 5,
      tailPercentile: 99,
      margin: 0.1,
      variationMin: 2,
      outOfRangeShareMax: 0.5,
      samplesMin: 10,
    };
    const flat = new IdleHistogram(options);
    for (let bin = 0; bin < 240; bin++) flat.add(bin * minute);
    expect(flat.forecast().basis).toBe('standard');
    const peaked = new IdleHistogram(options);
    for (let count = 0; count < 50; count++) peaked.add(10 * minute);
    expect(peaked.forecast()).toMatchObject({ warmFromMs: 9 * minute, basis: 'histogram' });
    expect(peaked.forecast().warmUntilMs).toBeCloseTo(12.1 * minute, 6);
  });
});
