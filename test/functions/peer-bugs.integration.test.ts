import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { answersToPeerBugs } from '../replays/functions.ts';

// What we answer where the peers' recorded answer is marked as their bug, one line per case. `UPDATE_PEER_BUGS=1` writes the file anew.
const table = new URL('peer-bugs.json', import.meta.url);

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

function lineOf(answer: unknown): string {
  const { status, headers = {}, body } = answer as Answer;
  const reflected =
    typeof body === 'object' && body !== null && 'reflect' in body
      ? (body.reflect as { arg?: unknown; cloudevent?: unknown })
      : undefined;
  const shown = reflected === undefined ? body : (reflected.cloudevent ?? reflected);
  const others = Object.entries(headers).filter(([name]) => name !== 'content-type' && name !== 'access-control-allow-methods');
  return [
    status,
    headers['content-type'] ?? '-',
    ...others.map(([name, value]) => `${name}: ${String(value)}`),
    JSON.stringify(shown),
  ]
    .join(' | ')
    .slice(0, 400);
}

test('answers to the cases that are bugs of the peers', async () => {
  const answers: Record<string, string> = {};
  for await (const { file, id, answer } of answersToPeerBugs(new URL('../vectors/functions', import.meta.url).pathname)) {
    answers[`${file} ${id}`] = lineOf(answer);
  }
  if (process.env['UPDATE_PEER_BUGS'] === '1') writeFileSync(table, `${JSON.stringify(answers, null, 2)}\n`);
  expect(answers).toEqual(JSON.parse(readFileSync(table, 'utf8')));
});
