// Writes schemas/ for editors from the kinds' schemas: `node scripts/generate-schemas.ts [--check]`.
import { fileURLToPath } from 'node:url';
import { runGenerator, schemaFiles } from './generated-files.ts';

runGenerator(fileURLToPath(new URL('../schemas', import.meta.url)), schemaFiles());
