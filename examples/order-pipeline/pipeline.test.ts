import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPipeline } from './pipeline.ts';

test('the order pipeline ships, collects dead letters, redrives and replays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'order-pipeline-'));
  const lines: string[] = [];
  try {
    const result = await runPipeline(folder, (line) => lines.push(line));
    expect([...result.shipped].sort()).toEqual(['o-1', 'o-3']);
    expect(result.deadLetters).toEqual(['o-2: no rocket']);
    expect([...result.billedAfterRedrive].sort()).toEqual(['o-1', 'o-2', 'o-3']);
    expect(result.audited).toEqual(['o-1', 'o-2', 'o-3']);
    expect(lines).toContain('billing is back: 3 events redriven');
  } finally {
    await rm(folder, { recursive: true });
  }
});
