// Writes crds/ from the kinds' schemas: `node scripts/generate-crds.ts [--check]`.
import { fileURLToPath } from 'node:url';
import { crdFiles, runGenerator } from './generated-files.ts';

runGenerator(fileURLToPath(new URL('../crds', import.meta.url)), crdFiles());
