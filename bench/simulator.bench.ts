// Requests per CPU second through the general engine with the real policy object; each load in processes of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { kpa, requestPerInstance } from '../src/autoscaler/index.ts';
import { distribution, load, simulate, sweep, type SimulationOptions } from '../src/simulator/index.ts';

/** SimFaaS, the known simulator of function platforms, by its own account; it knows no KPA. */
const simFaasPerSecond = 21_000;

const loads: readonly { readonly name: string; readonly options: SimulationOptions }[] = [
  {
    name: '100/s × 0.1 s, 10 hours',
    options: { policy: kpa(), load: load.poisson(100), serviceTime: distribution.exponential('100ms'), duration: '10h' },
  },
  {
    name: '1,000/s × 0.5 s, 1 hour',
    options: {
      policy: kpa({ target: 50 }),
      load: load.poisson(1_000),
      serviceTime: distribution.exponential('500ms'),
      duration: '1h',
    },
  },
  {
    name: '5,000/s × 2 s, 10 minutes (10,000 in flight)',
    options: { policy: kpa(), load: load.poisson(5_000), serviceTime: distribution.exponential('2s'), duration: '10m' },
  },
  {
    name: '1,000/s × 0.1 s, hard concurrency 10, 1 hour',
    options: {
      policy: kpa(),
      containerConcurrency: 10,
      load: load.poisson(1_000),
      serviceTime: distribution.exponential('100ms'),
      duration: '1h',
    },
  },
  {
    name: 'request per instance, newest idle first, 100/s × 0.2 s, 10 hours',
    options: {
      policy: requestPerInstance(),
      picking: 'newest-idle-first',
      containerConcurrency: 1,
      load: load.poisson(100),
      serviceTime: distribution.exponential('200ms'),
      duration: '10h',
    },
  },
];

const chosen = loads[Number(process.argv[2])];
if (chosen !== undefined) {
  simulate({ ...chosen.options, duration: '1m' });
  const before = process.cpuUsage();
  const { summary } = simulate(chosen.options);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ requests: summary.requests, cpuS: (user + system) / 1e6 }));
  process.exit(0);
}

console.log('| load | requests | CPU s | million requests per CPU second | × SimFaaS, by its README |\n|---|---|---|---|---|');
loads.forEach(({ name }, index) => {
  const runs = Array.from({ length: 3 }, () => {
    const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), String(index)], { encoding: 'utf8' });
    return JSON.parse(stdout) as { requests: number; cpuS: number };
  });
  const { requests, cpuS } = runs.toSorted((a, b) => a.cpuS - b.cpuS)[1] ?? { requests: NaN, cpuS: NaN };
  const perSecond = requests / cpuS;
  console.log(
    `| ${name} | ${requests.toLocaleString('en')} | ${cpuS.toFixed(2)} | ${(perSecond / 1e6).toFixed(2)} | ${Math.round(perSecond / simFaasPerSecond)} |`,
  );
});

const grid = { target: [5, 10, 20, 40], window: ['30s', '60s'] };
const base: SimulationOptions = { load: load.poisson(500), serviceTime: '100ms', duration: '40m' };
const measure = async (threads: number): Promise<string> => {
  const began = performance.now();
  const before = process.cpuUsage();
  await sweep({ base, parameters: grid, threads });
  const wallS = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}: ${wallS.toFixed(2)} s wall clock, ${((user + system) / 1e6 / wallS).toFixed(2)} cores used`;
};
console.log(`\nA sweep of 8 runs of 1.2 million requests each\n${await measure(1)}\n${await measure(2)}`);
