// Time from spawning a process to its first 200: a function of this package's process entry (built), of faas-js-runtime and of
// functions-framework, against a bare CommonJS node:http server. Variants interleaved, medians. Run `npm run build` first.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const rounds = Number(process.argv[2] ?? 9);
const root = new URL('..', import.meta.url).pathname;
const entry = process.argv[3] ?? join(root, 'dist/functions/process-entry.js');
if (!existsSync(entry)) throw new Error(`${entry} is missing: run npm run build first`);

const folder = mkdtempSync(join(tmpdir(), 'functions-start-'));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const bare = write('bare.cjs', "require('node:http').createServer((q, r) => r.end('ok')).listen(process.env.PORT, '127.0.0.1');");
const fn = write('fn.cjs', "module.exports = { handle: () => 'ok' };");
const module = write('fn.mjs', "export default () => 'ok';");
const typescript = write('fn.ts', "export default (): string => 'ok';");
const framework = write('ff.cjs', "exports.ok = (req, res) => res.send('ok');");

const variants: Readonly<Record<string, readonly string[]>> = {
  'bare node:http (CommonJS)': [bare],
  'this package, .cjs function': [entry, fn],
  'this package, .mjs function': [entry, module],
  'this package, .ts function': [entry, typescript],
  'functions-framework': [
    join(root, 'node_modules/@google-cloud/functions-framework/build/src/main.js'),
    `--source=${framework}`,
    '--target=ok',
  ],
  'faas-js-runtime': [join(root, 'node_modules/faas-js-runtime/bin/cli.js'), fn],
};

function answered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'));
    socket.on('data', (chunk) => {
      resolve(String(chunk).startsWith('HTTP/1.1 200'));
      socket.destroy();
    });
    socket.on('close', () => resolve(false));
  });
}

async function startOnce(args: readonly string[], port: number): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, {
    env: { PORT: String(port), FUNC_PORT: String(port), NODE_COMPILE_CACHE: join(folder, 'cache') },
    stdio: 'ignore',
    cwd: folder,
  });
  try {
    while (performance.now() - startedMs < 10_000) {
      if (await answered(port)) return performance.now() - startedMs;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`no answer from ${args.join(' ')}`);
  } finally {
    // Time for the cache to be written after the first answer.
    await new Promise((resolve) => setTimeout(resolve, 30));
    child.kill('SIGKILL');
  }
}

let port = 21_000 + (process.pid % 10_000);
const samples = new Map<string, number[]>();
for (let round = 0; round <= rounds; round++) {
  for (const [name, args] of Object.entries(variants)) {
    const ms = await startOnce(args, port++);
    // The first round fills the caches.
    if (round > 0) samples.set(name, [...(samples.get(name) ?? []), ms]);
  }
}
rmSync(folder, { recursive: true, force: true });
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const baseline = median(samples.get('bare node:http (CommonJS)') ?? []);
console.log('| server | first 200, median ms | best ms | above bare ms |\n|---|---|---|---|');
for (const [name, values] of samples) {
  console.log(
    `| ${name} | ${median(values).toFixed(0)} | ${Math.min(...values).toFixed(0)} | ${(median(values) - baseline).toFixed(0)} |`,
  );
}
