import { describe, expect, test } from 'vitest';
import { createMultiScaler, type Decision, type Policy } from '../../src/autoscaler/index.ts';
import { createVirtualClock } from '../../src/clock.ts';
import { load, specFor, startMs } from './deciders.ts';

const key = 'default/hello-00001';

/** A policy that answers what the test puts into `next`. */
function scripted(): Policy<undefined> & { next: () => Decision; calls: number[] } {
  const policy = {
    name: 'scripted',
    calls: [] as number[],
    next: (): Decision => ({ desired: 1, excessBurstCapacity: 0, valid: true }),
    metrics: () => [],
    initial: () => undefined,
    decide: (_observation: unknown, _state: undefined, nowMs: number) => {
      policy.calls.push(nowMs - startMs);
      return policy.next();
    },
  };
  return policy;
}

function setUp(policy: Policy) {
  const clock = createVirtualClock(startMs);
  const changes: [number, number, number][] = [];
  const scaler = createMultiScaler({
    clock,
    policy,
    readyPods: () => 1,
    onChange: (_key, { desiredScale, excessBurstCapacity }) => {
      changes.push([clock.now() - startMs, desiredScale, excessBurstCapacity]);
    },
  });
  return { clock, scaler, changes };
}

describe('the multi-scaler', () => {
  test('ticks each decider every two seconds from its creation', () => {
    const policy = scripted();
    const { clock, scaler } = setUp(policy);
    scaler.ensure('a/a', specFor());
    clock.advanceSync(700);
    scaler.ensure('b/b', specFor());
    clock.advanceSync(4_000);
    expect(policy.calls).toEqual([2_000, 2_700, 4_000, 4_700]);
  });

  test('announces changes only', () => {
    const policy = scripted();
    const { clock, scaler, changes } = setUp(policy);
    scaler.ensure(key, specFor());
    expect(scaler.get(key)).toMatchObject({ desiredScale: -1, excessBurstCapacity: -111 });
    clock.advanceSync(4_000);
    policy.next = () => ({ desired: 1, excessBurstCapacity: -4, valid: true });
    clock.advanceSync(4_000);
    policy.next = () => ({ desired: 3, excessBurstCapacity: -4, valid: true });
    clock.advanceSync(2_000);
    expect(changes).toEqual([
      [2_000, 1, 0],
      [6_000, 1, -4],
      [10_000, 3, -4],
    ]);
  });

  test.each([
    ['a fraction', (): Decision => ({ desired: 1.5, excessBurstCapacity: 0, valid: true }), 'wants 1.5 instances'],
    ['a negative number', (): Decision => ({ desired: -1, excessBurstCapacity: 0, valid: true }), 'wants -1 instances'],
    ['NaN', (): Decision => ({ desired: NaN, excessBurstCapacity: 0, valid: true }), 'wants NaN instances'],
    ['infinity', (): Decision => ({ desired: Infinity, excessBurstCapacity: 0, valid: true }), 'wants Infinity instances'],
    ['a NaN capacity', (): Decision => ({ desired: 1, excessBurstCapacity: NaN, valid: true }), 'excess burst capacity of NaN'],
    [
      'an exception',
      (): Decision => {
        throw new Error('boom');
      },
      'threw: boom',
    ],
  ])('keeps the last good decision when a policy answers %s, and says why', (_name, next, reason) => {
    const policy = scripted();
    const { clock, scaler, changes } = setUp(policy);
    policy.next = () => ({ desired: 4, excessBurstCapacity: 0, valid: true });
    scaler.ensure(key, specFor());
    clock.advanceSync(2_000);
    policy.next = next;
    clock.advanceSync(4_000);
    expect(scaler.get(key)).toMatchObject({ desiredScale: 4, rejected: expect.stringContaining(reason) as string });
    expect(scaler.explain(key)).toMatchObject({ mode: 'rejected', sentence: expect.stringContaining(reason) as string });
    expect(changes).toHaveLength(1);
    policy.next = () => ({ desired: 2, excessBurstCapacity: 0, valid: true });
    clock.advanceSync(2_000);
    expect(scaler.get(key)).toMatchObject({ desiredScale: 2, rejected: undefined });
  });

  test('a policy that cannot even start is shown, and tried again', () => {
    let broken = true;
    const policy: Policy<undefined> = {
      name: 'late',
      metrics: () => {
        if (broken) throw new Error('not yet');
        return [{ metric: 'concurrency', windowMs: 10_000, aggregation: 'linear' }];
      },
      initial: () => undefined,
      decide: (observation, _state, nowMs) => ({
        desired: Math.ceil(observation.average(0, nowMs)),
        excessBurstCapacity: 0,
        valid: true,
      }),
    };
    const { clock, scaler } = setUp(policy);
    expect(scaler.ensure(key, specFor())).toMatchObject({ desiredScale: -1 });
    clock.advanceSync(2_000);
    expect(scaler.get(key)).toMatchObject({ desiredScale: -1, rejected: 'policy late threw: not yet' });
    broken = false;
    clock.advanceSync(2_000);
    scaler.record(key, load(3));
    clock.advanceSync(2_000);
    expect(scaler.get(key)).toMatchObject({ desiredScale: 3, rejected: undefined });
    broken = true;
    expect(scaler.ensure(key, specFor({ containerConcurrency: 5 }))).toMatchObject({ desiredScale: 3 });
    expect(scaler.get(key)?.rejected).toContain('not yet');
  });

  test('a request at scale zero is decided on at once', () => {
    const policy = scripted();
    const { clock, scaler } = setUp(policy);
    policy.next = () => ({ desired: 0, excessBurstCapacity: -1, valid: true });
    scaler.ensure(key, specFor());
    scaler.record(key, load(1), { poke: true });
    expect(policy.calls).toEqual([]);
    clock.advanceSync(2_500);
    scaler.record(key, load(0), { poke: true });
    scaler.record(key, load(1), { poke: true });
    expect(policy.calls).toEqual([2_000, 2_500]);
  });

  test('looks earlier when a policy asks for it', () => {
    const policy = scripted();
    const { clock, scaler } = setUp(policy);
    policy.next = () => ({ desired: 1, excessBurstCapacity: 0, valid: true, nextCheckMs: clock.now() + 500 });
    scaler.ensure(key, specFor());
    clock.advanceSync(3_000);
    expect(policy.calls).toEqual([2_000, 2_500, 3_000]);
  });

  test('skips ticks that a busy process has missed', () => {
    const policy = scripted();
    const clock = createVirtualClock(startMs);
    let lateMs = 0;
    const late = { ...clock, now: () => clock.now() + lateMs, monotonic: () => clock.monotonic() + lateMs };
    const scaler = createMultiScaler({ clock: late, policy, readyPods: () => 1 });
    scaler.ensure(key, specFor());
    lateMs = 9_000;
    clock.advanceSync(2_000);
    lateMs = 0;
    clock.advanceSync(10_000);
    expect(policy.calls).toEqual([11_000, 12_000]);
  });

  test('a deleted decider does not tick and records nothing', () => {
    const policy = scripted();
    const { clock, scaler } = setUp(policy);
    scaler.ensure(key, specFor());
    scaler.delete(key);
    scaler.record(key, load(3));
    clock.advanceSync(10_000);
    expect(policy.calls).toEqual([]);
    expect(scaler.get(key)).toBeUndefined();
    expect(clock.nextDueMs()).toBeUndefined();
  });

  test('refuses a poisoned sample and stays as it was', () => {
    const clock = createVirtualClock(startMs);
    const scaler = createMultiScaler({ clock, readyPods: () => 1 });
    scaler.ensure(key, specFor());
    scaler.record(key, load(70));
    expect(() => scaler.record(key, load(NaN))).toThrow(expect.objectContaining({ code: 'AUTOSCALER_INVALID_SAMPLE' }) as Error);
    expect(() => scaler.record(key, load(1, Infinity))).toThrow(/sample/);
    clock.advanceSync(2_000);
    expect(scaler.get(key)).toMatchObject({ desiredScale: 1 });
    expect(scaler.explain(key)).toMatchObject({ mode: 'stable', observed: { stableValue: 70 } });
  });

  test('after closing nothing ticks and nothing can be created', async () => {
    const policy = scripted();
    const { clock, scaler } = setUp(policy);
    scaler.ensure(key, specFor());
    await scaler.close();
    await scaler.close();
    clock.advanceSync(10_000);
    expect(policy.calls).toEqual([]);
    expect(() => scaler.ensure(key, specFor())).toThrow(expect.objectContaining({ code: 'AUTOSCALER_CLOSED' }) as Error);
  });
});
