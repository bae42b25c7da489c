// CPU per request of the data plane in several processes against the one in a single process: 64 connections, peers interleaved in
// one run, medians; CPU time of all processes of the data plane together. `node bench/workers.bench.ts [seconds per run] [rounds]`.
import { readFileSync } from 'node:fs';
import { createDataPlaneWorkers, type DataPlaneWorkers } from '../src/serving/data-plane/index.ts';
import { startNode } from './peers/child.ts';
import { load } from './peers/load.ts';

const durationMs = Number(process.argv[2] ?? 1.5) * 1000;
const rounds = Number(process.argv[3] ?? 5);
const host = 'hello-0.default.example.com';
const request = `GET /path?query=1 HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n`;
const revision = 'default/hello-0-00001';

interface Plane {
  readonly port: number;
  cpuUs(): number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

const children = (): string[] => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');

/** The workers of a pool with one instance behind it, told by `prepare`. */
async function workers(count: number, prepare: (pool: DataPlaneWorkers) => Promise<void>): Promise<Plane> {
  const before = new Set(children());
  const pool = createDataPlaneWorkers({ workers: count });
  const { port } = await pool.listen();
  const pids = children().filter((pid) => !before.has(pid));
  const split = {
    serviceNamespace: 'default',
    serviceName: 'hello-0-00001',
    servicePort: 80,
    percent: 100,
    appendHeaders: { 'Knative-Serving-Namespace': 'default', 'Knative-Serving-Revision': 'hello-0-00001' },
  };
  pool.setIngress({
    metadata: { name: 'hello-0', namespace: 'default', generation: 1 },
    spec: { rules: [{ hosts: [host], visibility: 'ExternalIP', http: { paths: [{ splits: [split] }] } }] },
  });
  await prepare(pool);
  const cpuUs = (): number =>
    pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
    }, 0);
  return { port, cpuUs };
}

const backend = await startNode('backend.ts');
const instance = { id: 'pod-1', target: { address: `127.0.0.1:${backend.port}` } };
const alone = (settings: Parameters<DataPlaneWorkers['setInstances']>[2]) => (pool: DataPlaneWorkers) =>
  pool.setInstances(revision, [instance], settings);

const planes: Record<string, Plane> = {
  'one process': await startNode('proxy.ts', 'gateway', String(backend.port)),
  '2 workers': await workers(2, alone({ containerConcurrency: 100 })),
  '4 workers': await workers(4, alone({ containerConcurrency: 100 })),
  // One of the two has the instance: the other's requests, a third to a half, pass through both.
  '2 workers, one passes on to the other': await workers(2, alone({ containerConcurrency: 100, sessionAffinity: true })),
};

const results = Object.fromEntries(Object.keys(planes).map((name) => [name, [] as { cpuUs: number; rate: number }[]]));
for (const { port } of Object.values(planes)) await load({ port, connections: 64, request, durationMs: 800 });
for (let round = 0; round < rounds; round++) {
  for (const [name, plane] of Object.entries(planes)) {
    const before = plane.cpuUs();
    const beganMs = performance.now();
    const { requests } = await load({ port: plane.port, connections: 64, request, durationMs });
    const seconds = (performance.now() - beganMs) / 1000;
    results[name]?.push({ cpuUs: (plane.cpuUs() - before) / requests, rate: requests / seconds });
  }
}
const base = median(results['one process']?.map(({ cpuUs }) => cpuUs) ?? []);
console.log('| data plane | CPU µs per request | ÷ one process | requests/s |\n| --- | --- | --- | --- |');
for (const [name, runs] of Object.entries(results)) {
  const cpuUs = median(runs.map((run) => run.cpuUs));
  console.log(
    `| ${name} | ${cpuUs.toFixed(1)} | ${(cpuUs / base).toFixed(2)} | ${median(runs.map(({ rate }) => rate)).toFixed(0)} |`,
  );
}
process.exit(0);
