// `npm run bench [-- NAME…]`: runs the benchmarks one after the other, each in a process of its own. Quiet machines only: quote ratios.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const folder = new URL('../bench/', import.meta.url);
const wanted = process.argv.slice(2);
const benches = readdirSync(folder)
  .filter((name) => name.endsWith('.bench.ts'))
  .sort();
if (wanted.includes('--help') || wanted.includes('-h')) {
  console.log(
    `usage: npm run bench [-- NAME…]\n\nBenchmarks: ${benches.map((name) => name.replace('.bench.ts', '')).join(', ')}`,
  );
  process.exit(0);
}
const chosen = wanted.length === 0 ? benches : benches.filter((name) => wanted.some((text) => name.startsWith(text)));
if (chosen.length === 0) {
  console.error(
    `no benchmark is called ${wanted.join(' ')}; there are: ${benches.map((name) => name.replace('.bench.ts', '')).join(', ')}`,
  );
  process.exit(2);
}
let failed = 0;
for (const name of chosen) {
  console.log(`\n## ${name.replace('.bench.ts', '')}\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', new URL(name, folder).pathname], { stdio: 'inherit' });
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
