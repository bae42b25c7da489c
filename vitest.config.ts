import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

// Users' imports (`knative-embed/autoscaler`) resolve to the source in tests and examples.
const alias = [
  { find: /^knative-embed\/functions\/(faas|framework)$/, replacement: source('functions/$1.ts') },
  { find: /^knative-embed\/(\w+)$/, replacement: source('$1/index.ts') },
  { find: /^knative-embed$/, replacement: source('index.ts') },
];

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**'],
          isolate: false,
          // Properties and replays take longer on a machine that is busy with something else.
          testTimeout: 30_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
