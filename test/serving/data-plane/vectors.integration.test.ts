import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataPlaneCases, socketWorld } from '../../replays/serving.dataplane.ts';

const cases = JSON.parse(readFileSync(new URL('../../vectors/serving/dataplane.json', import.meta.url), 'utf8')) as {
  readonly id: string;
}[];

/** Runs cases side by side, for most of their time is waiting, and returns what differs by id. */
async function run(chosen: readonly { readonly id: string }[], atOnce: number): Promise<Map<string, readonly string[]>> {
  const queue = [...dataPlaneCases([...chosen], socketWorld)].filter(({ skip }) => skip === undefined);
  const differences = new Map<string, readonly string[]>();
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const lines = await item.check(item.expected as never);
      if (lines.length > 0) differences.set(item.id, lines);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return differences;
}

test('dataplane.json over real sockets', async () => {
  const first = await run(cases, 6);
  // The recordings allow times to differ by 200 ms, which a busy machine can miss: what differs gets another try by itself.
  const again = await run(
    cases.filter(({ id }) => first.has(id)),
    1,
  );
  expect(Object.fromEntries(again)).toEqual({});
});
