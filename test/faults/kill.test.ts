import { expect, test } from 'vitest';
import { killRounds } from './kill-rounds.ts';

test(
  'a file log whose process is killed ten times loses no acknowledged event, keeps the order and invents none',
  { timeout: 60_000 },
  async () => {
    const counts = await killRounds(10, 7);
    console.log(`kill -9: ${JSON.stringify(counts)}`);
    expect(counts).toMatchObject({ rounds: 10, lost: 0, invented: 0, outOfOrder: 0 });
    expect(counts.acknowledged).toBeGreaterThan(0);
  },
);
