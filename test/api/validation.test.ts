import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { files } from '../replays/serving.validation.ts';
import { runReplay, type Replay } from '../replays/replay.ts';

const folder = new URL('../vectors/serving/', import.meta.url);

const replayOf = (name: string): Replay =>
  function* () {
    const cases = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as unknown[];
    yield* files[name]?.(cases) ?? [];
  };

test.each(Object.keys(files))('%s: every recorded case', async (name) => {
  const result = await runReplay(replayOf(name), '');
  expect(result.failures).toEqual([]);
  expect(result.passed).toBeGreaterThan(0);
});

test.each(Object.keys(files))('%s: no case is blind to a changed expectation', async (name) => {
  const result = await runReplay(replayOf(name), '', { mutate: true });
  expect(result.failures).toEqual([]);
});
