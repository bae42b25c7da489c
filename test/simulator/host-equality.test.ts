// The simulator and the host, on the same requests in virtual time, let the same policy decide the same, tick for tick.
import { expect, test } from 'vitest';
import { kpa, type Decision, type Observation, type Policy } from '../../src/autoscaler/index.ts';
import { defineFunction } from '../../src/functions/index.ts';
import { createRandom } from '../../src/random.ts';
import { load } from '../../src/simulator/load.ts';
import { simulate } from '../../src/simulator/simulation-run.ts';
import { createTestHost } from '../../src/testing/test-host.ts';

const startMs = 1_700_000_000_000;

/** A policy that writes down what it sees and answers. */
function recorded(policy: Policy, tape: string[]): Policy {
  return {
    name: policy.name,
    metrics: (spec) => policy.metrics(spec),
    initial: (observation, nowMs) => policy.initial(observation, nowMs),
    decide(observation: Observation, state: unknown, nowMs: number): Decision {
      const decision = policy.decide(observation, state, nowMs);
      const windows = [observation.average(0, nowMs), observation.average(1, nowMs)].map((value) => value.toFixed(6));
      const { desired, excessBurstCapacity, valid } = decision;
      const panic = 'inPanic' in decision && decision.inPanic === true;
      tape.push(
        `${((nowMs - startMs) / 1000).toFixed(1)} s: ready ${observation.readyPods} windows ${windows.join(' ')} → ` +
          `${valid ? desired : 'invalid'} ebc ${excessBurstCapacity}${panic ? ' panic' : ''}`,
      );
      return decision;
    },
  };
}

/** Poisson arrivals with a burst and a long silence: up, panic, down, to zero, and from zero again. */
function arrivalsFor(seed: number): number[] {
  const random = createRandom(seed);
  const rates: readonly (readonly [number, number, number])[] = [
    [0, 40_000, 20],
    [40_000, 55_000, 120],
    [55_000, 90_000, 15],
    [290_000, 320_000, 30],
  ];
  return rates.flatMap(([fromMs, toMs, perSecond]) => {
    const times: number[] = [];
    for (let atMs = fromMs; ;) {
      atMs += (-Math.log(1 - random()) / perSecond) * 1_000;
      if (atMs >= toMs) return times;
      // Odd multiples of 1/64 ms: exact next to the host's wall clock and in nanoseconds, and never at the instant of a tick.
      times.push((Math.floor(atMs * 32) * 2 + 1) / 64);
    }
  });
}

const durationS = 360;
const serviceMs = 180.25;

async function onHost(
  policy: Policy,
  times: readonly number[],
  annotations: Record<string, string>,
  concurrency: number,
): Promise<string[]> {
  const tape: string[] = [];
  const host = await createTestHost({
    startMs,
    policyFor: () => recorded(policy, tape),
    images: {
      'example.com/work': defineFunction(async (call) => {
        await call.sleep(serviceMs);
        return 'done';
      }),
    },
  });
  await host.apply({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'work', namespace: 'default' },
    spec: {
      template: {
        metadata: {
          annotations: Object.fromEntries(
            Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]),
          ),
        },
        spec: { containerConcurrency: concurrency, containers: [{ image: 'example.com/work' }] },
      },
    },
  });
  for (const atMs of times) host.clock.setTimer(atMs, () => void host.fetch('work').then((answer) => answer.text()));
  await host.advance(`${durationS}s`);
  await host.close();
  return tape;
}

function onSimulator(
  policy: Policy,
  times: readonly number[],
  annotations: Record<string, string>,
  concurrency: number,
): string[] {
  const tape: string[] = [];
  simulate({
    policy: recorded(policy, tape),
    load: load.arrivals(times),
    serviceTime: serviceMs,
    coldStart: 0,
    containerConcurrency: concurrency,
    annotations,
    duration: `${durationS}s`,
    startTime: startMs,
  });
  return tape;
}

// Where places are short while instances leave, the host's choice depends on the random names of its pods: these have room then.
test.each<{ seed: number; concurrency: number; annotations: Record<string, string> }>([
  { seed: 1, concurrency: 5, annotations: { target: '4' } },
  { seed: 2, concurrency: 0, annotations: { target: '3', 'target-burst-capacity': '10' } },
  { seed: 3, concurrency: 6, annotations: { target: '2', 'min-scale': '2', 'max-scale': '6', 'scale-down-delay': '20s' } },
  { seed: 4, concurrency: 10, annotations: { metric: 'rps', target: '8', window: '30s' } },
  { seed: 5, concurrency: 8, annotations: { 'metric-aggregation-algorithm': 'weighted-exponential', 'activation-scale': '3' } },
])('a KPA run, seed $seed, containerConcurrency $concurrency, $annotations', async ({ seed, concurrency, annotations }) => {
  const times = arrivalsFor(seed);
  const simulated = onSimulator(kpa(), times, annotations, concurrency);
  const hosted = await onHost(kpa(), times, annotations, concurrency);
  expect(simulated).toEqual(hosted.slice(0, simulated.length));
  expect(simulated.length).toBeGreaterThan(durationS / 2 - 2);
});
