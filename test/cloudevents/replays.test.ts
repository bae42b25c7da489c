import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { replay as cesql } from '../replays/cesql.ts';
import { replay as cloudevents } from '../replays/cloudevents.ts';
import { runReplay, type Replay } from '../replays/replay.ts';

const areas: readonly (readonly [string, Replay])[] = [
  ['cloudevents', cloudevents],
  ['cesql', cesql],
];

describe.each(areas)('vectors of %s', (area, replay) => {
  const folder = fileURLToPath(new URL(`../vectors/${area}`, import.meta.url));

  it('are all met', async () => {
    const result = await runReplay(replay, folder);
    expect(result.failures).toEqual([]);
    expect(result.passed).toBeGreaterThan(100);
  });

  it('are all looked at: altered expectations are noticed', async () => {
    const result = await runReplay(replay, folder, { mutate: true });
    expect(result.failures).toEqual([]);
  });
});
