import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { replay } from '../replays/eventing.ts';
import { runReplay } from '../replays/replay.ts';

const folder = fileURLToPath(new URL('../vectors/eventing', import.meta.url));

test('every golden case passes', async () => {
  const result = await runReplay(replay, folder);
  expect(result.failures).toEqual([]);
  expect(result.passed).toBeGreaterThan(1_000);
}, 60_000);

test('no golden case is blind to altered expectations', async () => {
  const result = await runReplay(replay, folder, { mutate: true });
  expect(result.failures).toEqual([]);
}, 120_000);
