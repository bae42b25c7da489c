// From nothing to the first byte: Runtime.start, readiness, one request to the instance. Medians of several runs, wall time.
// Fresh Node processes are compared with spawning the same program bare, in the same run.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { createImageMap } from '../src/host/runtimes/image-map.ts';
import { createRuntime } from '../src/host/runtimes/create-runtime.ts';
import type { Instance, Runtime } from '../src/host/runtimes/runtime.ts';
import { createMemoryNetwork } from '../src/http/memory-network.ts';

const runs = Number(process.env['RUNS'] ?? 15);
/** Time between runs in which spares are made up for, as between two starts from zero. */
const restMs = 1_000;

const folder = mkdtempSync(`${tmpdir()}/knative-embed-bench-`);
writeFileSync(`${folder}/function.mjs`, 'export const handle = () => "hello";\n');
writeFileSync(`${folder}/function.ts`, 'export const handle = (): string => "hello";\n');
writeFileSync(
  `${folder}/server.cjs`,
  "require('node:http').createServer((q, s) => s.end('hello')).listen(process.env.PORT, '127.0.0.1');\n",
);
writeFileSync(
  `${folder}/server.py`,
  `import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`,
);

const images = createImageMap(
  {
    'in-process': { function: './function.mjs', isolation: 'in-process' },
    worker: './function.mjs',
    'worker-ts': './function.ts',
    process: { function: './function.mjs', isolation: 'process' },
    node: { command: [process.execPath, 'server.cjs'] },
    python: { command: ['python3', 'server.py'] },
  },
  { baseDir: folder },
);

const rest = (ms = restMs): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function ready(instance: Instance): Promise<void> {
  return new Promise((resolve) => {
    const listening = instance.onChange(check);
    function check(): void {
      if (!instance.status.ready) return;
      listening[Symbol.dispose]();
      resolve();
    }
    check();
  });
}

function firstByte(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: Number(address.split(':')[1]), agent: false }, (response) => {
      response.once('data', () => resolve());
      response.resume();
    }).once('error', reject);
  });
}

let count = 0;

async function startOnce(runtime: Runtime, image: string): Promise<number> {
  const id = `bench-${++count}`;
  const beganMs = performance.now();
  const instance = runtime.start({
    id,
    namespace: 'default',
    podName: id,
    containers: [{ name: 'user-container', image, ports: [{ containerPort: 8080 }] }],
  });
  await ready(instance);
  const { handler, address = '' } = instance;
  if (handler !== undefined) {
    const network = createMemoryNetwork({ fallback: handler });
    await (await network.client.request({ method: 'GET', url: 'http://hello/' })).text();
  } else await firstByte(address);
  const elapsedMs = performance.now() - beganMs;
  await instance.stop(2_000);
  return elapsedMs;
}

/** The same program without the host: spawned, its port tried every millisecond, one request. */
async function bareOnce(): Promise<number> {
  const port = 25_000 + (count++ % 1_000);
  const beganMs = performance.now();
  const child = spawn(process.execPath, [`${folder}/server.cjs`], { env: { PORT: String(port) }, stdio: 'ignore' });
  while (!(await canConnect(port))) await rest(1);
  await firstByte(`127.0.0.1:${port}`);
  const elapsedMs = performance.now() - beganMs;
  child.kill('SIGKILL');
  return elapsedMs;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const show = (ms: number): string => ms.toFixed(1);

async function main(): Promise<void> {
  // Stands for the host's listening gateway: instances alone do not keep a process alive.
  const keepAlive = setInterval(() => undefined, 1_000);
  const prestarted = await createRuntime({ images, dataDir: `${folder}/data` });
  const fresh = await createRuntime({ images, dataDir: `${folder}/fresh`, spares: 0 });
  const rows: { name: string; limit: string; run: () => Promise<number> }[] = [
    { name: 'function in process', limit: '< 3', run: () => startOnce(prestarted, 'in-process') },
    { name: 'function in a pre-started worker', limit: '< 4', run: () => startOnce(prestarted, 'worker') },
    { name: 'the same in TypeScript', limit: '', run: () => startOnce(prestarted, 'worker-ts') },
    { name: 'function in a new worker', limit: '', run: () => startOnce(fresh, 'worker') },
    { name: 'function in a pre-started process', limit: '< 25', run: () => startOnce(prestarted, 'process') },
    { name: 'function in a new process', limit: '', run: () => startOnce(fresh, 'process') },
    { name: 'node:http program, new process', limit: 'bare + 15', run: () => startOnce(prestarted, 'node') },
    { name: 'node:http program, spawned bare', limit: '', run: bareOnce },
    { name: 'python3 http.server program', limit: '', run: () => startOnce(prestarted, 'python') },
  ];
  await rest(2_000);
  const samples = rows.map((): number[] => []);
  for (let run = 0; run <= runs; run++) {
    for (const [index, row] of rows.entries()) {
      const elapsedMs = await row.run();
      // The first round warms the host's own code.
      if (run > 0) samples[index]?.push(elapsedMs);
      await rest();
    }
  }
  console.log('| start | median ms | best ms | limit |\n|---|---|---|---|');
  for (const [index, row] of rows.entries()) {
    const values = samples[index] ?? [];
    console.log(`| ${row.name} | ${show(median(values))} | ${show(Math.min(...values))} | ${row.limit} |`);
  }
  await prestarted.close();
  await fresh.close();
  clearInterval(keepAlive);
  rmSync(folder, { recursive: true, force: true });
}

await main();
