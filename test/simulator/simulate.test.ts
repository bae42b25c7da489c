import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kpa, type Policy } from '../../src/autoscaler/index.ts';
import { createRandom } from '../../src/random.ts';
import { createArrivals } from '../../src/simulator/arrivals.ts';
import { EventQueue } from '../../src/simulator/event-queue.ts';
import {
  compare,
  distribution,
  load,
  loadFromCsv,
  loadFromJson,
  loadFromPrometheus,
  scenarios,
  simulate,
  type Load,
  type SimulationOptions,
} from '../../src/simulator/index.ts';
import { parseLoad } from '../../src/simulator/parse-load.ts';

const stepOptions: SimulationOptions = {
  policy: kpa({ target: 10 }),
  containerConcurrency: 20,
  load: load.step({ at: '30s', requestsPerSecond: 500 }),
  serviceTime: '200ms',
  coldStart: '2s',
  duration: '10m',
};

describe('a run', () => {
  test('settles where target and load say', () => {
    const run = simulate(stepOptions);
    expect(run.at('9m').readyReplicas).toBe(15);
    expect(run.at('20s')).toMatchObject({ requestsPerSecond: 0, readyReplicas: 1 });
    expect(run.at('40s').panic).toBe(1);
    expect(run.summary).toMatchObject({ rejected: 0, timedOut: 0, failed: 0, requests: 284_999 });
    expect(run.summary.completed + run.summary.unfinished).toBe(run.summary.requests);
  });

  test('is the same for the same seed, decisions and rows included, and another one for another seed', () => {
    const options: SimulationOptions = {
      ...stepOptions,
      load: load.poisson(
        load.sum(
          load.sine({ mean: 80, amplitude: 60, period: '5m' }),
          load.bursts({ requestsPerSecond: 300, every: '2m', length: '5s' }),
        ),
      ),
      serviceTime: distribution.logNormal({ median: '100ms', p95: '600ms' }),
      coldStart: distribution.exponential('3s'),
      containerConcurrency: 4,
      failures: { instanceEvery: '2m', startFailure: 0.1 },
      slowStarts: { share: 0.2, factor: 5 },
    };
    const text = (seed: number): string => JSON.stringify(simulate({ ...options, seed }));
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
  });

  test('says why: at a time from the start, of the day, and by date', () => {
    const run = simulate({ ...stepOptions, startTime: '2026-03-02T12:00:00Z' });
    expect(run.explain('34s')).toMatchObject({ mode: 'panic' });
    expect(run.explain('12:09').sentence).toContain('15 ready pods');
    expect(run.explain('2026-03-02T12:09:00Z')).toEqual(run.explain('9m'));
    expect(() => run.explain('11m')).toThrow(expect.objectContaining({ code: 'SIMULATOR_INVALID_TIME' }));
    expect(() => run.explain('1s')).toThrow(expect.objectContaining({ code: 'SIMULATOR_NO_DECISION' }));
  });

  test('scales to zero after window and grace period, and from zero for the next request', () => {
    const run = simulate({ load: load.arrivals(['1s', '5m']), coldStart: '4s', serviceTime: '1s', duration: '6m' });
    expect(run.at('4m59s')).toMatchObject({ readyReplicas: 0, replicas: 0 });
    expect(run.at('5m1s')).toMatchObject({ readyReplicas: 0, replicas: 1, startingReplicas: 1, waiting: 1 });
    expect(run.summary).toMatchObject({ coldStarts: 1, completed: 2, latency: { maxMs: 5_000 } });
  });

  test('keeps to bounds, and to what the machine holds', () => {
    const bounded = simulate({ ...stepOptions, annotations: { 'max-scale': '4', 'min-scale': '2' } });
    expect(bounded.at('1s').readyReplicas).toBe(2);
    expect(Math.max(...bounded.series.values('replicas'))).toBe(4);
    const small = simulate({ ...stepOptions, instancesMax: 5 });
    expect(small.summary.maxReadyInstances).toBe(5);
    expect(small.at('40s').startingReplicas).toBeGreaterThan(10);
  });

  test('cuts off what takes too long, rejects what is too much, and loses what breaks', () => {
    const options: SimulationOptions = {
      load: load.constant(20),
      containerConcurrency: 1,
      annotations: { 'max-scale': '1' },
      duration: '2m',
    };
    const slow = simulate({ ...options, serviceTime: '1s', timeout: '5s' }).summary;
    expect(slow.timedOut).toBeGreaterThan(slow.completed);
    expect(slow.latency.maxMs).toBeLessThanOrEqual(5_000);
    const full = simulate({ ...options, serviceTime: '1s', queueDepth: 3 });
    expect(full.summary.rejected).toBeGreaterThan(2_000);
    expect(Math.max(...full.series.values('waiting'))).toBe(3);
    const broken = simulate({ ...options, serviceTime: '30ms', failures: { instanceEvery: '10s' } }).summary;
    expect(broken.failed).toBeGreaterThan(0);
    expect(broken.requests).toBe(broken.completed + broken.failed + broken.unfinished);
  });

  test('refuses options that cannot be, naming them', () => {
    const fault = (options: Partial<SimulationOptions>): unknown => {
      try {
        simulate({ load: load.constant(1), duration: '1m', ...options });
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(fault({ containerConcurrency: 1.5 })).toMatchObject({
      code: 'SIMULATOR_INVALID_OPTION',
      path: 'containerConcurrency',
    });
    expect(fault({ sampleInterval: '500ms' })).toMatchObject({ path: 'sampleInterval' });
    expect(fault({ policy: kpa(), scalePerRequest: { keepAlive: '1m' } })).toMatchObject({ path: 'scalePerRequest' });
    expect(fault({ config: { 'stable-window': 'soon' } })).toMatchObject({ path: 'config' });
    expect(() => simulate({ load: load.constant(1) })).toThrow(expect.objectContaining({ path: 'duration' }));
  });

  test("shows a policy's failure instead of failing with it", () => {
    const broken: Policy = {
      name: 'broken',
      metrics: () => [],
      initial: () => undefined,
      decide: () => ({ desired: NaN, excessBurstCapacity: 0, valid: true }),
    };
    const run = simulate({ policy: broken, load: load.constant(5), duration: '30s' });
    expect(run.at('30s').readyReplicas).toBe(1);
    expect(run.decisionAt('10s').rejected).toContain('no whole number');
  });

  test('tells how far it is', () => {
    const shares: number[] = [];
    simulate({ ...stepOptions, onProgress: (share) => void shares.push(share) });
    expect(shares.length).toBeGreaterThan(90);
    expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
  });
});

describe('every run, whatever happens in it', () => {
  test('loses no request and no instance', () => {
    const options = fc.record({
      containerConcurrency: fc.integer({ min: 0, max: 5 }),
      queueDepth: fc.integer({ min: 0, max: 50 }),
      timeout: fc.integer({ min: 50, max: 20_000 }),
      instancesMax: fc.integer({ min: 1, max: 12 }),
      seed: fc.integer({ min: 1, max: 1e6 }),
      rate: fc.integer({ min: 0, max: 80 }),
      breaks: fc.boolean(),
      perRequest: fc.boolean(),
      picking: fc.constantFrom(
        'newest-idle-first' as const,
        'first-available' as const,
        'round-robin' as const,
        'random-choice-of-two' as const,
      ),
      scaleDown: fc.constantFrom('newest' as const, 'longest-idle' as const),
    });
    fc.assert(
      fc.property(options, ({ rate, breaks, perRequest, ...rest }) => {
        const run = simulate({
          ...rest,
          ...(perRequest ? { scalePerRequest: { keepAlive: '20s' } } : { policy: kpa({ target: 2 }) }),
          load: load.poisson(load.sum(load.constant(rate), load.bursts({ requestsPerSecond: 100, every: '40s', length: '5s' }))),
          serviceTime: distribution.exponential(150),
          coldStart: distribution.uniform({ from: 0, to: 4_000 }),
          failures: breaks ? { instanceEvery: '15s', startFailure: 0.2 } : {},
          duration: '2m',
          explanations: false,
        });
        const { summary, series } = run;
        expect(summary.unfinished).toBeGreaterThanOrEqual(0);
        expect(summary.meanBusyInstances).toBeLessThanOrEqual(summary.meanInstances + 1e-9);
        const placed = series.values('readyReplicas').map((ready, row) => ready + (series.columns.drainingReplicas[row] ?? 0));
        expect(Math.max(...placed)).toBeLessThanOrEqual(rest.instancesMax);
        if (rest.containerConcurrency > 0) expect(Math.max(...series.values('waiting'))).toBeLessThanOrEqual(rest.queueDepth);
        if (!breaks) expect(summary.failed).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('events come in order of time, kind and adding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 7 })), { maxLength: 600 }),
        (events) => {
          const queue = new EventQueue();
          events.forEach(([timeMs, kind], index) => queue.push(timeMs, kind, index));
          const popped = events.map(() => queue.pop());
          const expected = events
            .map(([timeMs, kind], index) => ({ timeMs, kind, index }))
            .toSorted((a, b) => a.timeMs - b.timeMs || a.kind - b.kind || a.index - b.index)
            .map(({ index }) => index);
          expect(popped).toEqual(expected);
        },
      ),
    );
  });
});

/** Requests per second of each minute, as the generator makes them. */
function perMinute(of: Load, minutes: number, startMs = Date.parse('2026-03-02T00:00:00Z')): number[] {
  const counts = new Array<number>(minutes).fill(0);
  let seed = 1;
  const arrivals = createArrivals(of, startMs, () => createRandom(seed++));
  for (let atMs = arrivals.next(); atMs < minutes * 60_000; atMs = arrivals.next()) {
    const minute = Math.floor(atMs / 60_000);
    counts[minute] = (counts[minute] ?? 0) + 1 / 60;
  }
  return counts.map((count) => Math.round(count * 10) / 10);
}

describe('loads', () => {
  test('make the requests that they say', () => {
    expect(perMinute(load.constant(10), 2)).toEqual([10, 10]);
    expect(perMinute(load.step({ at: '1m', requestsPerSecond: 8, before: 2, until: '3m' }), 4)).toEqual([2, 8, 8, 2]);
    expect(perMinute(load.ramp({ from: 0, to: 30, end: '3m' }), 4)).toEqual([5, 15, 25, 30]);
    expect(perMinute(load.sine({ mean: 10, amplitude: 10, period: '4m' }), 4)).toEqual([16.4, 16.4, 3.6, 3.6]);
    expect(perMinute(load.bursts({ requestsPerSecond: 60, every: '2m', length: '30s', first: 0 }), 4)).toEqual([30, 0, 30, 0]);
    expect(perMinute(load.sum(load.constant(1), load.constant(2.5)), 1)).toEqual([3.5]);
    const poisson = perMinute(load.poisson(100), 3);
    for (const rate of poisson) expect(Math.abs(rate - 100)).toBeLessThan(6);
    expect(new Set(poisson).size).toBeGreaterThan(1);
  });

  test('days have a peak, a night and weekends', () => {
    const days = load.days({ low: 2, high: 20, peakHour: 14, weekendFactor: 0.5 });
    const monday = Date.parse('2026-03-02T14:00:00Z');
    const dayMs = 86_400_000;
    expect(perMinute(days, 1, monday)).toEqual([20]);
    expect(perMinute(days, 1, monday + 12 * 3_600_000)).toEqual([2]);
    expect(perMinute(days, 1, monday + 5 * dayMs)).toEqual([10]);
  });

  test('are read from CSV and JSON', () => {
    expect(loadFromCsv('time,requests_per_second\n0,5\n60,10\n120,0\n')).toMatchObject({
      timesMs: [0, 60_000, 120_000],
      requestsPerSecond: [5, 10, 0],
      endMs: 180_000,
      startMs: undefined,
    });
    expect(loadFromCsv('time,requests\n2026-03-02T10:00:00Z,120\n2026-03-02T10:01:00Z,60\n')).toMatchObject({
      requestsPerSecond: [2, 1],
      startMs: Date.parse('2026-03-02T10:00:00Z'),
    });
    expect(loadFromCsv('timestamp\n1772445600.5\n1772445600\n')).toMatchObject({
      kind: 'arrivals',
      timesMs: [0, 500],
      startMs: 1_772_445_600_000,
    });
    expect(
      loadFromJson([
        [0, 1],
        [30, 2],
      ]),
    ).toMatchObject({ requestsPerSecond: [1, 2], endMs: 60_000 });
    expect(
      loadFromJson([
        { time: 0, requests: 30 },
        { time: 10, requests: 10 },
      ]),
    ).toMatchObject({ requestsPerSecond: [3, 1] });
    for (const bad of ['', 'time,rps\n0,x', 'time,rps\n0,1\n0,2', 'time,rps\n0,-1']) {
      expect(() => loadFromCsv(bad), bad).toThrow(expect.objectContaining({ code: 'SIMULATOR_INVALID_TRAFFIC' }));
    }
  });

  test('are read from the answer to a Prometheus range query: rates, counters and concurrency; series add up', () => {
    const answer = (name: string | undefined, ...series: [number, string][][]): object => ({
      status: 'success',
      data: {
        resultType: 'matrix',
        result: series.map((values) => ({ metric: name === undefined ? {} : { __name__: name }, values })),
      },
    });
    const rates = loadFromPrometheus(
      answer(
        undefined,
        [
          [1772445600, '5'],
          [1772445660, '7.5'],
        ],
        [
          [1772445600, '1'],
          [1772445660, 'NaN'],
        ],
      ),
    );
    expect(rates).toMatchObject({ requestsPerSecond: [6, 7.5], startMs: 1_772_445_600_000 });
    const counter = loadFromPrometheus(
      answer('kn_serving_invocation_duration_seconds_count', [
        [0, '100'],
        [60, '160'],
        [120, '30'],
      ]),
    );
    expect(counter).toMatchObject({ requestsPerSecond: [1, 0.5] });
    const inFlight = loadFromPrometheus(
      answer('kn_revision_request_concurrency', [
        [0, '4'],
        [60, '8'],
      ]),
      { serviceSeconds: 0.2 },
    );
    expect(inFlight).toMatchObject({ requestsPerSecond: [20, 40] });
    expect(() => loadFromPrometheus({ status: 'error', error: 'bad query' })).toThrow('bad query');
    expect(simulate({ load: rates }).startMs).toBe(1_772_445_600_000);
  });

  test('are read from a command line', () => {
    expect(parseLoad('100/s')).toEqual(load.constant(100));
    expect(parseLoad('step:500/s@30s-5m')).toEqual(load.step({ at: '30s', requestsPerSecond: 500, until: '5m' }));
    expect(parseLoad('ramp:0/s-500/s@1m-5m')).toEqual(load.ramp({ from: 0, to: 500, start: '1m', end: '5m' }));
    expect(parseLoad('sine:100/s~50/s@10m')).toEqual(load.sine({ mean: 100, amplitude: 50, period: '10m' }));
    expect(parseLoad('bursts:300/s@5m:20s')).toEqual(load.bursts({ requestsPerSecond: 300, every: '5m', length: '20s' }));
    expect(parseLoad('days:5/s-200/s@14:30*0.4')).toEqual(load.days({ low: 5, high: 200, peakHour: 14.5, weekendFactor: 0.4 }));
    expect(parseLoad('poisson:10/s + 2/s')).toEqual(load.sum(load.poisson(10), load.constant(2)));
    for (const bad of ['', '100', 'ramp:1/s-2/s', 'wave:1/s']) expect(() => parseLoad(bad), bad).toThrow('--load');
  });
});

describe('comparisons', () => {
  test('meet the same requests with the same service times', () => {
    const { runs } = compare(
      { ...stepOptions, load: load.poisson(50), serviceTime: distribution.exponential('200ms'), containerConcurrency: 0 },
      { low: kpa({ target: 2 }), high: kpa({ target: 50 }), 'per request': { policy: kpa(), seed: 1 } },
    );
    const [low, high, third] = runs.map(({ summary }) => summary);
    expect(low?.requests).toBe(high?.requests);
    // Unlimited instances from the first moment: nobody waits, so latencies are those of the requests themselves.
    expect(low?.latency).toEqual(high?.latency);
    expect(third?.latency).toEqual(high?.latency);
    expect(low?.meanInstances).toBeGreaterThan(high?.meanInstances ?? Infinity);
  });
});

describe('the collapses that users reported', () => {
  test('a steady load that scales down and then explodes: seen, warned about, and settled by each remedy', () => {
    const { options, remedies } = scenarios.steadyLoadCollapse;
    const { runs } = compare(options, { target: {}, ...remedies });
    const [collapsing, ...settled] = runs;
    const replicas = collapsing?.series.values('replicas').subarray(200) ?? [];
    expect(Math.min(...replicas)).toBe(3);
    expect(Math.max(...replicas)).toBeGreaterThan(40);
    expect(collapsing?.oscillations[0]?.sentence).toMatch(/^Replicas swing between \d and \d\d:/);
    for (const run of settled) {
      expect([run.name, run.oscillations]).toEqual([run.name, []]);
      expect(run.summary.latency.p99Ms).toBeLessThan((collapsing?.summary.latency.p99Ms ?? 0) / 5);
      expect(run.summary.meanInstances).toBeLessThan(6);
    }
  });

  test('a scale-down delay only postpones that collapse', () => {
    const { options } = scenarios.steadyLoadCollapse;
    const run = simulate({ ...options, annotations: { ...options.annotations, 'scale-down-delay': '10m' } });
    const replicas = run.series.values('replicas');
    expect(new Set(replicas.subarray(120, 700))).toEqual(new Set([5]));
    expect(Math.min(...replicas.subarray(700, 760))).toBe(3);
    expect(Math.max(...replicas.subarray(700, 760))).toBeGreaterThan(25);
  });

  test('rps that bounces near zero: seen, warned about, and settled by each remedy', () => {
    const { options, remedies } = scenarios.flappingNearZero;
    const { runs } = compare(options, { defaults: {}, ...remedies });
    const [defaults, ...settled] = runs;
    expect(new Set(defaults?.decisions.map(({ desired }) => desired))).toEqual(new Set([0, 1]));
    expect(defaults?.summary.coldStartProbability).toBeGreaterThan(0.9);
    expect(defaults?.oscillations[0]?.sentence).toContain('one every 75 s');
    for (const run of settled) expect([run.name, run.oscillations, run.summary.coldStarts]).toEqual([run.name, [], 0]);
  });

  test('a policy that follows a wave is not warned about', () => {
    const wave = simulate({
      policy: kpa({ target: 5 }),
      load: load.sine({ mean: 200, amplitude: 180, period: '10m' }),
      duration: '1h',
    });
    expect(wave.oscillations).toEqual([]);
  });
});
