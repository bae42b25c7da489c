import { expect, test } from 'vitest';
import { replay } from '../replays/functions.ts';
import { runReplay } from '../replays/replay.ts';

const folder = new URL('../vectors/functions', import.meta.url).pathname;

test('recorded exchanges of faas-js-runtime and functions-framework are answered the same way', async () => {
  const { failures, passed } = await runReplay(replay, folder);
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(215);
});

test('the replay notices altered expectations', async () => {
  expect((await runReplay(replay, folder, { mutate: true })).failures).toEqual([]);
});
