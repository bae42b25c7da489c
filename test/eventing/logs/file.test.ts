import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { memoryLog } from '../../../src/eventing/index.ts';
import { fileLog } from '../../../src/eventing/logs/file.ts';
import { logSuite, type MakeLog } from '../../../src/testing/log-suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'knative-embed-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let caseNumber = 0;
const makeFile = (): MakeLog => {
  const own = join(folder, String(++caseNumber));
  return (key) => fileLog(join(own, key), { cursorMs: 5 });
};
/** Files so small and memory so short that every case crosses them. */
const makeSmall = (): MakeLog => {
  const own = join(folder, String(++caseNumber));
  return (key) => fileLog(join(own, key), { cursorMs: 5, segmentBytes: 2_000, bufferedEvents: 4, retainBytes: 1e9 });
};

describe.each([
  { name: 'file log', make: makeFile, durable: true, capabilities: ['replay', 'ack-single'] as const },
  {
    name: 'file log, small files and little memory',
    make: makeSmall,
    durable: true,
    capabilities: ['replay', 'ack-single'] as const,
  },
  { name: 'memory log', make: (): MakeLog => () => memoryLog(), durable: false, capabilities: ['replay', 'ack-single'] as const },
])('$name', ({ make, ...kind }) => {
  test.each(logSuite(kind))('$group: $name', async ({ run }) => await run(make()));
});
