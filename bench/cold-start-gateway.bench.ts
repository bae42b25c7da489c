// From zero to the first byte through the gateway: services that the autoscaler has taken to zero, then one request each over a
// fresh connection. Wall time, medians; the request wakes the activator, the autoscaler, the reconcilers and the runtime. Beside them, in
// the same run: a node:http server of this process that runs already, and the program spawned bare until it answers.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createHost } from '../src/host/index.ts';
import { pods } from '../src/api/core/pod.ts';

const services = Number(process.env['RUNS'] ?? 9);
/** Time between requests, in which spares are made up for. */
const restMs = 1_000;

const folder = mkdtempSync(`${tmpdir()}/knative-embed-bench-`);
writeFileSync(`${folder}/function.mjs`, 'export const handle = () => "hello";\n');
writeFileSync(
  `${folder}/server.cjs`,
  "require('node:http').createServer((q, s) => s.end('hello')).listen(process.env.PORT, '127.0.0.1');\n",
);

const kinds = [
  { image: 'example.com/inprocess', name: 'function in process', limit: '< 3' },
  { image: 'example.com/worker', name: 'function in a pre-started worker', limit: '< 4' },
  { image: 'example.com/process', name: 'function in a pre-started process', limit: '< 25' },
  { image: 'example.com/program', name: 'node:http program, new process', limit: 'bare + 15' },
];

const host = await createHost({
  baseDir: folder,
  dataDir: `${folder}/data`,
  images: {
    'example.com/inprocess': { function: './function.mjs', isolation: 'in-process' },
    'example.com/worker': './function.mjs',
    'example.com/process': { function: './function.mjs', isolation: 'process' },
    'example.com/program': { command: [process.execPath, 'server.cjs'] },
  },
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function serviceOf(name: string, image: string): object {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: {
      template: { metadata: { annotations: { 'autoscaling.knative.dev/window': '6s' } }, spec: { containers: [{ image }] } },
    },
  };
}

/** A client on a thread of its own: on the host's it would wait for what the host does after its answer. */
const client = new Worker(
  `const { parentPort } = require('node:worker_threads');
  const { get } = require('node:http');
  parentPort.on('message', ({ port, host }) => {
    const beganMs = performance.now();
    const ask = () => get({ host: '127.0.0.1', port, agent: false, headers: { host } }, (response) => {
      response.once('data', () => parentPort.postMessage({ status: response.statusCode, ms: performance.now() - beganMs }));
      response.resume();
    }).on('error', () => setTimeout(ask, 1));
    ask();
  });`,
  { eval: true },
);

async function firstByteMs(port: number, host: string): Promise<number> {
  client.postMessage({ port, host });
  const [{ status, ms }] = (await once(client, 'message')) as [{ status: number; ms: number }];
  if (status !== 200) throw new Error(`status ${status}`);
  return ms;
}

await host.apply({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config-autoscaler', namespace: 'knative-serving' },
  data: { 'scale-to-zero-grace-period': '6s' },
});
const { port } = await host.listen({ port: 0 });
const nameOf = (index: number, kind: number): string => `kind${kind}-${index}`;
for (let index = 0; index <= services; index++) {
  for (const [kind, { image }] of kinds.entries()) {
    await host.apply(serviceOf(nameOf(index, kind), image));
    await host.ready('services.serving.knative.dev', nameOf(index, kind));
  }
}
while (host.list(pods).length > 0) await sleep(500);

const bare = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
await once(bare, 'listening');
const barePort = (bare.address() as AddressInfo).port;
const spawnPort = 20_000 + (process.pid % 10_000);

async function spawnedMs(): Promise<number> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, [`${folder}/server.cjs`], { env: { PORT: String(spawnPort) }, stdio: 'ignore' });
  await firstByteMs(spawnPort, 'bare');
  const elapsedMs = performance.now() - beganMs;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return elapsedMs;
}

const samples = kinds.map((): number[] => []);
const references: Record<string, number[]> = { 'a node:http server that runs': [], 'node:http program, spawned bare': [] };
for (let index = 0; index <= services; index++) {
  for (const kind of kinds.keys()) {
    const elapsedMs = await firstByteMs(port, `${nameOf(index, kind)}.default.localhost`);
    // The first round warms the host's own code.
    if (index > 0) samples[kind]?.push(elapsedMs);
    await sleep(restMs);
  }
  references['a node:http server that runs']?.push(await firstByteMs(barePort, 'bare'));
  await sleep(restMs);
  references['node:http program, spawned bare']?.push(await spawnedMs());
  await sleep(restMs);
}
console.log('| start through the gateway | median ms | best ms | limit |\n|---|---|---|---|');
const rows = [
  ...kinds.map(({ name, limit }, kind) => [name, limit, samples[kind] ?? []] as const),
  ...Object.entries(references).map(([name, values]) => [name, '', values] as const),
];
for (const [name, limit, values] of rows) {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  console.log(`| ${name} | ${median.toFixed(1)} | ${(sorted[0] ?? NaN).toFixed(1)} | ${limit} |`);
}
bare.close();
await client.terminate();
await host.close();
rmSync(folder, { recursive: true, force: true });
