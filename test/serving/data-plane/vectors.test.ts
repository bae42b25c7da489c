import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runReplay } from '../../replays/replay.ts';
import { files } from '../../replays/serving.data-plane.ts';
import { dataPlaneCases } from '../../replays/serving.dataplane.ts';

const read = (file: string): unknown[] =>
  JSON.parse(readFileSync(new URL(`../../vectors/serving/${file}`, import.meta.url), 'utf8')) as unknown[];

describe.each(['breaker.json', 'throttler.json'])('%s', (file) => {
  test('gives what upstream gave', async () => {
    const cases = read(file);
    const lines: string[] = [];
    const result = await runReplay(() => files[file]?.(cases) ?? [], '', { print: (line) => lines.push(line) });
    expect(lines.join('\n')).toBe(`${cases.length} passed, 0 failed`);
    expect(result.failed).toBe(0);
  });
});

test('dataplane.json on the in-memory transport and virtual time', async () => {
  const cases = (read('dataplane.json') as { family: string }[]).filter(({ family }) => !/h2c|websocket/.test(family));
  const lines: string[] = [];
  await runReplay(() => dataPlaneCases(cases), '', { print: (line) => lines.push(line) });
  expect(lines.join('\n')).toBe(`${cases.length} passed, 0 failed`);
});
