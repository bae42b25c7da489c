import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPipeline } from './pipeline.ts';

await runPipeline(process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'order-pipeline-'))), console.log);
