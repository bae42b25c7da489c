import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';

// One entry per public subpath (src/MODULE/index.ts), plus the files that are started by path. Declarations come from the native
// compiler (tsconfig.build.json), which is an order of magnitude faster than bundling them.
const modules = readdirSync('src', { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && existsSync(`src/${entry.name}/index.ts`),
);
const started = [
  'cli/main',
  'functions/faas',
  'functions/framework',
  'functions/worker-entry',
  'functions/process-entry',
  'serving/data-plane-worker',
  'simulator/edges/sweep-worker',
];

export default defineConfig({
  entry: Object.fromEntries([
    ['index', 'src/index.ts'],
    ...modules.map(({ name }) => [`${name}/index`, `src/${name}/index.ts`]),
    ...started.filter((path) => existsSync(`src/${path}.ts`)).map((path) => [path, `src/${path}.ts`]),
  ]),
  format: ['esm'],
  dts: false,
  splitting: true,
  sourcemap: true,
  clean: true,
  target: 'node22',
  platform: 'node',
});
