import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultAutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import {
  activatorCount,
  decideScale,
  explain,
  explainScale,
  kpaPolicy,
  pickSample,
  sampleSize,
  type ScaleSituation,
} from '../../src/autoscaler/index.ts';
import { createRandom } from '../../src/random.ts';
import { observe, specFor, startMs } from './deciders.ts';

function situation(changes: Partial<ScaleSituation> = {}): ScaleSituation {
  return {
    input: {},
    config: defaultAutoscalerConfig(),
    progressDeadlineMs: 600_000,
    desiredScale: 3,
    active: { status: 'True', lastTransitionTime: new Date(startMs - 600_000).toISOString() },
    initialized: true,
    mode: 'Serve',
    proxyForMs: 0,
    probe: () => true,
    nowMs: startMs,
    ...changes,
  };
}

const scale = fc.integer({ min: 0, max: 1_000 });

describe('bounds', () => {
  test('always hold', () => {
    fc.assert(
      fc.property(scale, scale, scale, fc.boolean(), (desiredScale, min, max, initialized) => {
        const annotations = { 'autoscaling.knative.dev/min-scale': `${min}`, 'autoscaling.knative.dev/max-scale': `${max}` };
        const { want } = decideScale(situation({ input: { annotations }, desiredScale, initialized }));
        fc.pre((min > 0 || desiredScale > 0) && (max === 0 || min <= max));
        expect(want).toBeGreaterThanOrEqual(min);
        if (max > 0) expect(want).toBeLessThanOrEqual(max);
      }),
    );
  });

  test('a minimum above the maximum counts for what is below it, the maximum for what is above, as upstream has it', () => {
    const annotations = { 'autoscaling.knative.dev/min-scale': '5', 'autoscaling.knative.dev/max-scale': '2' };
    const wanted = [1, 4, 5, 9].map((desiredScale) => decideScale(situation({ input: { annotations }, desiredScale })).want);
    expect(wanted).toEqual([5, 5, 2, 2]);
  });

  test('are explained together with the decision', () => {
    const spec = specFor();
    const state = kpaPolicy.initial(observe(spec, 0, []), startMs);
    const decision = kpaPolicy.decide(observe(spec, 3, [700, 0]), state, startMs);
    const annotations = { 'autoscaling.knative.dev/max-scale': '4' };
    const why = explainScale(
      explain(decision),
      decideScale(situation({ input: { annotations }, desiredScale: decision.desired })),
    );
    expect(why).toMatchObject({ desired: 4, steps: [{ rule: 'max-scale', before: 10, after: 4 }] });
    expect(why.sentence).toMatch(/10 wanted.*Max-scale changed 10 to 4; 4 wanted\.$/);
  });
});

describe('scale to zero', () => {
  const inactive = (sinceMs: number) =>
    ({ status: 'False', lastTransitionTime: new Date(startMs - sinceMs).toISOString() }) as const;

  test('asks the activator only when it matters', () => {
    let probes = 0;
    const probe = (): boolean => {
      probes++;
      return false;
    };
    decideScale(situation({ probe }));
    decideScale(situation({ desiredScale: 0, probe }));
    expect(probes).toBe(0);
    const outcome = decideScale(situation({ desiredScale: 0, active: inactive(60_000), probe }));
    expect(outcome).toMatchObject({ want: 0, apply: false, awaitsProbe: true });
    expect(probes).toBe(1);
  });

  test('never applies zero while the target was active a moment ago, whatever else holds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 59_999 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 1e6 }),
        (sinceMs, probed, proxyForMs) => {
          const active = { status: 'True', lastTransitionTime: new Date(startMs - sinceMs).toISOString() } as const;
          const outcome = decideScale(situation({ desiredScale: 0, active, probe: () => probed, proxyForMs, mode: 'Proxy' }));
          expect(outcome).toMatchObject({ want: 1, apply: true, requeueAfterMs: 60_000 - sinceMs });
        },
      ),
    );
  });

  test('waits out what is left of the grace period', () => {
    const outcome = decideScale(situation({ desiredScale: 0, active: inactive(10_000), proxyForMs: 12_000 }));
    expect(outcome).toMatchObject({ want: 0, apply: false, requeueAfterMs: 18_000, zero: 'within the grace period' });
  });
});

describe('sampling', () => {
  test('asks everybody of three, and never more than sixteen', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (population) => {
        expect(sampleSize(population)).toBeLessThanOrEqual(Math.min(population, 16));
        if (population <= 3) expect(sampleSize(population)).toBe(population);
      }),
    );
  });

  test('draws different pods without repeating one', () => {
    const random = createRandom(7);
    const pods = Array.from({ length: 50 }, (_, index) => index);
    const seen = new Set<number>();
    for (let round = 0; round < 200; round++) {
      const sample = pickSample(pods, random);
      expect(new Set(sample).size).toBe(sampleSize(50));
      for (const pod of sample) seen.add(pod);
    }
    expect(seen.size).toBe(50);
  });
});

test('activators cover capacity and burst, two at least', () => {
  const spec = specFor();
  expect([0, 1, 10, 100].map((ready) => activatorCount(ready, spec))).toEqual([3, 4, 13, 103]);
  expect(activatorCount(100, { ...spec, targetBurstCapacity: 0 })).toBe(2);
});
