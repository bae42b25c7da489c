import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataPlaneCases, socketWorld } from '../../replays/serving.dataplane.ts';

const cases = JSON.parse(readFileSync(new URL('../../vectors/serving/dataplane.json', import.meta.url), 'utf8')) as unknown[];

// Most of the time of a case is waiting: they run side by side.
test('dataplane.json over real sockets', async () => {
  const queue = [...dataPlaneCases(cases, socketWorld)].filter(({ skip }) => skip === undefined);
  const differences: string[] = [];
  let passed = 0;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const lines = await item.check(item.expected as never);
      if (lines.length === 0) passed++;
      else differences.push(`${item.id}: ${lines.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  expect(differences).toEqual([]);
  expect(passed).toBe(cases.length - 1);
});
