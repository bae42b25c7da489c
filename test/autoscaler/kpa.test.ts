import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, kpa, kpaPolicy } from '../../src/autoscaler/index.ts';
import { observe, specFor, startMs } from './deciders.ts';

const value = fc.double({ min: 0, max: 1e6, noNaN: true });
const pods = fc.integer({ min: 0, max: 500 });

describe('the KPA decision', () => {
  test('never leaves the bounds of its rates, outside of panic', () => {
    fc.assert(
      fc.property(
        value,
        pods,
        fc.double({ min: 1.1, max: 50, noNaN: true }),
        fc.double({ min: 1.1, max: 50, noNaN: true }),
        (stable, ready, up, down) => {
          const spec = specFor({}, { maxScaleUpRate: up, maxScaleDownRate: down });
          // No panic value, so no panic; a decider that starts with several pods would start in panic.
          const state = kpaPolicy.initial(observe(spec, 0, []), startMs);
          const decision = kpaPolicy.decide(observe(spec, ready, [stable, 0]), state, startMs);
          const effective = Math.max(1, ready);
          expect(decision.desired).toBeLessThanOrEqual(Math.ceil(up * effective));
          expect(decision.desired).toBeGreaterThanOrEqual(Math.floor(effective / down));
          expect(Number.isInteger(decision.desired)).toBe(true);
        },
      ),
    );
  });

  test('wants no fewer pods for more load', () => {
    fc.assert(
      fc.property(value, value, value, value, pods, (stableA, stableB, panicA, panicB, ready) => {
        const spec = specFor();
        const desired = (stable: number, panic: number): number => {
          const state = kpaPolicy.initial(observe(spec, 0, []), startMs);
          return kpaPolicy.decide(observe(spec, ready, [stable, panic]), state, startMs).desired;
        };
        const less = desired(Math.min(stableA, stableB), Math.min(panicA, panicB));
        expect(desired(Math.max(stableA, stableB), Math.max(panicA, panicB))).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  test('never shrinks while in panic', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 30 }), (loads) => {
        const spec = specFor();
        const state = kpaPolicy.initial(observe(spec, 5, []), startMs);
        let last = 0;
        loads.forEach(([stable, panic], tick) => {
          const decision = kpaPolicy.decide(observe(spec, 5, [stable, panic]), state, startMs + tick * 1_000);
          expect(decision.inPanic).toBe(true);
          expect(decision.desired).toBeGreaterThanOrEqual(last);
          last = decision.desired;
        });
      }),
    );
  });

  test('decides nothing without data or without a pod count', () => {
    fc.assert(
      fc.property(fc.constantFrom(undefined, 3), fc.boolean(), (ready, hasData) => {
        fc.pre(ready === undefined || !hasData);
        const spec = specFor();
        const state = kpaPolicy.initial(observe(spec, 3, []), startMs);
        const decision = kpaPolicy.decide(observe(spec, ready, [hasData ? 100 : NaN, 1]), state, startMs);
        expect(decision).toMatchObject({ valid: false, desired: 0 });
      }),
    );
  });
});

describe('its explanation', () => {
  test('names mode, values and what cut the number', () => {
    const spec = specFor({}, { maxScaleUpRate: 2 });
    const state = kpaPolicy.initial(observe(spec, 0, []), startMs);
    const why = explain(kpaPolicy.decide(observe(spec, 3, [10_000, 100]), state, startMs));
    expect(why).toMatchObject({
      policy: 'kpa',
      mode: 'stable',
      desired: 6,
      observed: { stableValue: 10_000, readyPods: 3, targetValue: 70, stablePods: 143 },
      steps: [{ rule: 'max-scale-up-rate', before: 143, after: 6 }],
    });
    expect(why.sentence).toContain('max-scale-up-rate made it 6');
  });

  test('says why there is no decision', () => {
    const spec = specFor();
    const state = kpaPolicy.initial(observe(spec, 0, []), startMs);
    const why = explain(kpaPolicy.decide(observe(spec, 1, [NaN, NaN]), state, startMs));
    expect(why).toMatchObject({ mode: 'no-data', sentence: 'No decision: the stable window has no data.' });
  });

  test('its steps lead from the first number to the last', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, pods), { minLength: 1, maxLength: 20 }), fc.boolean(), (ticks, delayed) => {
        const annotations: Record<string, string> = { 'autoscaling.knative.dev/activation-scale': '4' };
        if (delayed) annotations['autoscaling.knative.dev/scale-down-delay'] = '30s';
        const spec = specFor({ annotations }, { maxScaleUpRate: 3 });
        const state = kpaPolicy.initial(observe(spec, 2, []), startMs);
        ticks.forEach(([stable, panic, ready], tick) => {
          const decision = kpaPolicy.decide(observe(spec, ready, [stable, panic]), state, startMs + tick * 40_000);
          const { steps, desired } = explain(decision);
          steps.slice(1).forEach((step, index) => expect(step.before).toBe(steps[index]?.after));
          if (steps.length > 0) expect(steps.at(-1)?.after).toBe(desired);
        });
      }),
    );
  });
});

describe('kpa with options', () => {
  test('without any it is the plain KPA', () => {
    const spec = specFor();
    const observation = observe(spec, 2, [500, 900]);
    const plain = kpaPolicy.decide(observation, kpaPolicy.initial(observe(spec, 0, []), startMs), startMs);
    const policy = kpa();
    const own = policy.decide(observation, policy.initial(observe(spec, 0, []), startMs), startMs);
    expect({ ...own }).toEqual({ ...plain });
  });

  test('a target is capped by the container and multiplied by the utilization', () => {
    const policy = kpa({ target: 10 });
    const spec = specFor({ containerConcurrency: 20 });
    const state = policy.initial(observe(spec, 0, []), startMs);
    expect(policy.decide(observe(spec, 15, [100, 0]), state, startMs)).toMatchObject({ desired: 15, targetValue: 7 });
    const capped = kpa({ target: 100 });
    expect(capped.decide(observe(spec, 15, [140, 0]), capped.initial(observe(spec, 0, []), startMs), startMs)).toMatchObject({
      targetValue: 14,
    });
  });

  test('windows follow the options', () => {
    expect(
      kpa({ window: '30s', panicWindowPercentage: 20, metric: 'rps', aggregation: 'weighted-exponential' }).metrics(specFor()),
    ).toEqual([
      { metric: 'rps', windowMs: 30_000, aggregation: 'weighted-exponential' },
      { metric: 'rps', windowMs: 6_000, aggregation: 'weighted-exponential' },
    ]);
  });

  test.each([
    [{ target: 0 }, 'target'],
    [{ target: NaN }, 'target'],
    [{ targetUtilizationPercentage: 101 }, 'targetUtilizationPercentage'],
    [{ window: '5s' }, 'window'],
    [{ panicThresholdPercentage: 100 }, 'panicThresholdPercentage'],
  ])('%j is refused', (options, path) => {
    expect(() => kpa(options)).toThrow(expect.objectContaining({ code: 'AUTOSCALER_INVALID_OPTION', path }) as Error);
  });
});
