import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { replay } from '../replays/autoscaler.ts';
import { runReplay } from '../replays/replay.ts';

const folder = fileURLToPath(new URL('../vectors/autoscaler', import.meta.url));

test('every recorded case of the reference', async () => {
  const result = await runReplay(replay, folder);
  expect(result.failures).toEqual([]);
  expect(result.passed).toBeGreaterThan(3_800);
  // Only single decisions on non-finite numbers, which are refused before they could reach one.
  expect(result.skipped).toBe(45);
}, 60_000);

test('no recorded case is blind to altered expectations', async () => {
  const result = await runReplay(replay, folder, { mutate: true });
  expect(result.failures).toEqual([]);
}, 120_000);
