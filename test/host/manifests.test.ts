import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { replay } from '../replays/manifests.ts';
import { runReplay } from '../replays/replay.ts';

const own = fileURLToPath(new URL('../vectors/manifests', import.meta.url));
const docs = fileURLToPath(new URL('../../../shared/manifests/knative-docs', import.meta.url));

test('manifests of the products are read as expected', async () => {
  const result = await runReplay(replay, own);
  expect(result.failures).toEqual([]);
  expect(result.passed).toBeGreaterThan(50);
});

test('no manifest expectation is blind to a change', async () => {
  expect((await runReplay(replay, own, { mutate: true })).failures).toEqual([]);
});

test.skipIf(!existsSync(docs))(
  "upstream's tutorials get upstream's verdicts (needs the tutorials, which are not ours to copy)",
  async () => {
    expect((await runReplay(replay, docs)).failures).toEqual([]);
  },
);
