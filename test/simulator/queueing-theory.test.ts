// Textbook results that the simulator must meet within sampling error. Seeds are fixed, so the tests are not flaky.
import { describe, expect, test } from 'vitest';
import { kpa, requestPerInstance } from '../../src/autoscaler/index.ts';
import { distribution } from '../../src/simulator/distribution.ts';
import { load } from '../../src/simulator/load.ts';
import type { SimulationOptions } from '../../src/simulator/options.ts';
import { simulate } from '../../src/simulator/simulation-run.ts';

/** Probability that an arrival finds all of `servers` busy and is lost; `offered` in erlangs. */
function erlangB(servers: number, offered: number): number {
  let blocking = 1;
  for (let count = 1; count <= servers; count++) blocking = (offered * blocking) / (count + offered * blocking);
  return blocking;
}

/** Probability that an arrival must wait. */
function erlangC(servers: number, offered: number): number {
  const blocking = erlangB(servers, offered);
  return blocking / (1 - (offered / servers) * (1 - blocking));
}

const close = (actual: number, expected: number, share: number): void => {
  expect(Math.abs(actual - expected) / expected, `${actual} against ${expected}`).toBeLessThan(share);
};

/** A fixed number of instances, none of which ever changes. */
const fixed = (instances: number): Pick<SimulationOptions, 'annotations' | 'initialInstances'> => ({
  annotations: { 'min-scale': String(instances), 'max-scale': String(instances) },
  initialInstances: instances,
});

describe("Little's law: mean number = rate × mean time", () => {
  test.each([
    { name: 'exponential', serviceTime: distribution.exponential('300ms') },
    { name: 'log-normal', serviceTime: distribution.logNormal({ median: '200ms', p95: '1s' }) },
    { name: 'measured', serviceTime: distribution.empirical([20, 50, 50, 900]) },
  ])('with $name service times under a KPA', ({ serviceTime }) => {
    const { summary } = simulate({
      policy: kpa({ target: 10 }),
      load: load.poisson(load.sum(load.constant(30), load.sine({ mean: 30, amplitude: 25, period: '10m' }))),
      serviceTime,
      containerConcurrency: 12,
      duration: '2h',
      seed: 7,
    });
    const perSecond = summary.completed / 7_200;
    close(summary.meanConcurrency, (perSecond * summary.latency.meanMs) / 1_000, 0.002);
  });
});

describe('Erlang C: waiting in front of fixed replicas with container concurrency', () => {
  test.each([
    { instances: 5, concurrency: 1, perSecond: 40 },
    { instances: 4, concurrency: 5, perSecond: 170 },
    { instances: 2, concurrency: 10, perSecond: 190 },
  ])('$instances instances of $concurrency at $perSecond/s', ({ instances, concurrency, perSecond }) => {
    const serviceS = 0.1;
    const servers = instances * concurrency;
    const offered = perSecond * serviceS;
    const { summary } = simulate({
      load: load.poisson(perSecond),
      serviceTime: distribution.exponential(serviceS * 1_000),
      containerConcurrency: concurrency,
      ...fixed(instances),
      duration: '6h',
      seed: 3,
      explanations: false,
    });
    const waits = erlangC(servers, offered);
    close(summary.waitProbability, waits, 0.03);
    close(summary.meanWaitMs, ((waits * serviceS) / (servers - offered)) * 1_000, 0.06);
  });
});

describe('Erlang B: loss without a queue', () => {
  test.each([
    { instances: 10, concurrency: 1, perSecond: 80 },
    { instances: 3, concurrency: 4, perSecond: 120 },
  ])('$instances instances of $concurrency at $perSecond/s', ({ instances, concurrency, perSecond }) => {
    const run = (serviceTime: SimulationOptions['serviceTime']): number => {
      const { summary } = simulate({
        load: load.poisson(perSecond),
        ...(serviceTime === undefined ? {} : { serviceTime }),
        containerConcurrency: concurrency,
        queueDepth: 0,
        ...fixed(instances),
        duration: '4h',
        seed: 5,
        explanations: false,
      });
      return summary.rejected / summary.requests;
    };
    const loss = erlangB(instances * concurrency, perSecond * 0.1);
    close(run(distribution.exponential(100)), loss, 0.03);
    // The loss depends on the mean of the service time alone, not on its shape.
    close(run(distribution.constant(100)), loss, 0.03);
  });
});

/**
 * An instance per request, the newest idle one first, in M/M/∞: a request that finds k-1 busy is cold when the k-th instance has been
 * idle for longer than the keep-alive, that is when the first passage τ_k from k-1 to k busy takes longer. Its tail comes from the
 * birth and death process on 0 … k-1 with k absorbing, by uniformization.
 */
function keepAliveTheory(offered: number, serviceS: number, keepAliveS: number): { cold: number; idle: number } {
  const arrivalRate = offered / serviceS;
  let cold = 0;
  let idle = 0;
  let poisson = Math.exp(-offered);
  for (let level = 1; level <= 60; level++) {
    const { tail, integral } = firstPassage(level, arrivalRate, 1 / serviceS, keepAliveS);
    cold += poisson * tail;
    idle += arrivalRate * poisson * integral;
    poisson *= offered / level;
  }
  return { cold, idle };
}

/** P(τ > T) and the integral of P(τ > t) up to T. */
function firstPassage(level: number, up: number, down: number, untilS: number): { tail: number; integral: number } {
  const rate = up + down * level;
  let state = new Array<number>(level).fill(0);
  state[level - 1] = 1;
  const jumps = rate * untilS;
  let weight = Math.exp(-jumps);
  let atMost = weight;
  let tail = 0;
  let integral = 0;
  for (let jump = 0; jump < jumps + 12 * Math.sqrt(jumps) + 30; jump++) {
    const alive = state.reduce((sum, value) => sum + value, 0);
    tail += weight * alive;
    integral += ((1 - atMost) / rate) * alive;
    const next = new Array<number>(level).fill(0);
    state.forEach((value, busy) => {
      const stays = 1 - (up + down * busy) / rate;
      next[busy] = (next[busy] ?? 0) + value * stays;
      if (busy + 1 < level) next[busy + 1] = (next[busy + 1] ?? 0) + (value * up) / rate;
      if (busy > 0) next[busy - 1] = (next[busy - 1] ?? 0) + (value * down * busy) / rate;
    });
    state = next;
    weight *= jumps / (jump + 1);
    atMost += weight;
  }
  return { tail, integral };
}

describe('an instance per request with a keep-alive, the newest idle one first', () => {
  test.each([
    { offered: 2, serviceS: 2, keepAliveS: 10, hours: 200 },
    { offered: 5, serviceS: 1, keepAliveS: 20, hours: 100 },
    { offered: 0.5, serviceS: 3, keepAliveS: 15, hours: 400 },
    { offered: 12, serviceS: 2, keepAliveS: 5, hours: 50 },
  ])('$offered erlangs of $serviceS s, kept for $keepAliveS s', ({ offered, serviceS, keepAliveS, hours }) => {
    const theory = keepAliveTheory(offered, serviceS, keepAliveS);
    const { summary } = simulate({
      scalePerRequest: { keepAlive: keepAliveS * 1_000 },
      picking: 'newest-idle-first',
      containerConcurrency: 1,
      coldStart: 0,
      load: load.poisson(offered / serviceS),
      serviceTime: distribution.exponential(serviceS * 1_000),
      duration: `${hours}h`,
      seed: 11,
    });
    close(summary.coldStartProbability, theory.cold, 0.02);
    close(summary.meanIdleInstances, theory.idle, 0.02);
    close(summary.meanBusyInstances, offered, 0.01);
    close(summary.meanInstances, offered + theory.idle, 0.01);
    // Little's law for instances: the number of them is the rate of starts times their life.
    const startsPerSecond = summary.instancesStarted / (hours * 3_600);
    close(summary.meanInstances, (startsPerSecond * summary.meanInstanceLifeMs) / 1_000, 0.01);
  });

  test('the request-per-instance policy comes near when its two-second ticks are short against everything else', () => {
    const theory = keepAliveTheory(3, 120, 600);
    const { summary } = simulate({
      policy: requestPerInstance({ keepAlive: 600_000 }),
      picking: 'newest-idle-first',
      scaleDown: 'longest-idle',
      containerConcurrency: 1,
      coldStart: 0,
      load: load.poisson(3 / 120),
      serviceTime: distribution.exponential(120_000),
      timeout: '1h',
      duration: '1000h',
      seed: 2,
      explanations: false,
    });
    close(summary.waitProbability, theory.cold, 0.1);
    close(summary.meanIdleInstances, theory.idle, 0.05);
    close(summary.meanBusyInstances, 3, 0.03);
  });
});
