import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEvent } from '../../src/cloudevents/index.ts';
import { KnativeError } from '../../src/errors.ts';
import { silentLogger } from '../../src/logger.ts';
import { fileLog } from '../../src/eventing/logs/file.ts';
import type { FileLogOptions } from '../../src/eventing/logs/file-options.ts';
import { LogTaker } from '../../src/testing/log-suite.ts';

const root = mkdtempSync(join(tmpdir(), 'knative-embed-damage-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const eventCount = 120;
const parkedCount = 3;
const original = join(root, 'original');
let folders = 0;

/** Several files of events, cursors, parked events. */
beforeAll(async () => {
  await using log = fileLog(original, { segmentBytes: 8_000, cursorMs: 1 });
  await log.open();
  const trigger = log.trigger('t');
  for (let n = 0; n < eventCount; n++) {
    const event = createEvent({ id: String(n), source: '/damage', type: 't', data: { n, text: 'y'.repeat(n) } });
    await log.append(event, [trigger], ['h', String(n)]);
  }
  const taker = new LogTaker(trigger);
  const reason = { destination: 'x', status: 500, message: 'no', attempts: 1 };
  for (const delivery of (await taker.take(eventCount)).slice(0, parkedCount)) await delivery.park(reason);
  taker.close();
});

function copy(): string {
  const folder = join(root, `copy-${++folders}`);
  cpSync(original, folder, { recursive: true });
  return folder;
}

const logFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();

function flipBit(path: string, at: number, bit = 0): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes);
}

/** Opens a folder and takes all there is. `refused`: the code of the error. */
async function outcome(
  folder: string,
  options: FileLogOptions = {},
): Promise<{ refused?: string; ids: string[]; altered: number; parked: number }> {
  const log = fileLog(folder, options);
  const ids: string[] = [];
  let altered = 0;
  let parked = 0;
  try {
    await log.open();
    for await (const { event } of log.read?.() ?? []) {
      ids.push(event.id);
      const n = Number(event.id);
      if (JSON.stringify(event.data()) !== JSON.stringify({ n, text: 'y'.repeat(n) })) altered++;
    }
    for await (const { event } of log.parked()) parked += event.id === String(parked) ? 1 : 0;
    const taken = new LogTaker(log.trigger('t'));
    await taken.take(log.trigger('t').backlog, 3_000);
    taken.close();
    await log.close();
    return { ids, altered, parked };
  } catch (error) {
    await log.close().catch(() => undefined);
    if (!KnativeError.is(error)) throw error;
    return { refused: error.code, ids, altered, parked };
  }
}

describe('a damaged file log', () => {
  test('has everything without damage', async () => {
    expect(logFiles(original).length).toBeGreaterThan(3);
    const { ids, altered, parked } = await outcome(copy());
    expect(ids).toEqual(Array.from({ length: eventCount }, (_, n) => String(n)));
    expect([altered, parked]).toEqual([0, parkedCount]);
  });

  test('any bit that is flipped in any file is reported, or nothing is missing; nothing altered is served', async () => {
    const counts = { refused: 0, unharmed: 0 };
    const files = [...logFiles(original), 'state'];
    const places = fc.tuple(fc.nat(files.length - 1), fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(places, async ([file, share, bit]) => {
        const folder = copy();
        const path = join(folder, files[file] ?? '');
        flipBit(path, Math.floor(share * statSync(path).size), bit);
        const { refused, ids, altered } = await outcome(folder);
        rmSync(folder, { recursive: true });
        expect(altered).toBe(0);
        if (refused === undefined) {
          expect(ids.length).toBe(eventCount);
          counts.unharmed++;
        } else {
          expect(refused).toMatch(/^EVENTING_LOG_(DAMAGED|FORMAT)$/);
          counts.refused++;
        }
      }),
      { numRuns: 60 },
    );
    console.log(`flipped bits: ${counts.refused} refused, ${counts.unharmed} without effect on events (torn end of the journal)`);
  });

  test('a file cut anywhere before its end is reported', async () => {
    const [, second = ''] = logFiles(original);
    for (const share of [0, 0.3, 0.9]) {
      const folder = copy();
      truncateSync(join(folder, second), Math.floor(statSync(join(folder, second)).size * share));
      expect(await outcome(folder)).toMatchObject({ refused: 'EVENTING_LOG_DAMAGED', altered: 0 });
    }
  });

  test('acknowledged events cut from the end of the newest file are reported', async () => {
    const folder = copy();
    const newest = join(folder, logFiles(folder).at(-1) ?? '');
    truncateSync(newest, statSync(newest).size - 10);
    expect(await outcome(folder)).toMatchObject({ refused: 'EVENTING_LOG_DAMAGED' });
  });

  test.each(['first', 'middle', 'newest', 'state'])('a missing file is reported: %s', async (which) => {
    const folder = copy();
    const files = logFiles(folder);
    const at = { first: 0, middle: 2, newest: files.length - 1 }[which];
    unlinkSync(join(folder, at === undefined ? 'state' : (files[at] ?? '')));
    expect(await outcome(folder)).toMatchObject({ refused: 'EVENTING_LOG_DAMAGED' });
  });

  test('the torn end of a write that nobody was told of is cut away', async () => {
    const folder = copy();
    const newest = join(folder, logFiles(folder).at(-1) ?? '');
    const whole = readFileSync(newest);
    // A batch that stopped in the middle: a copy of the beginning of one that was written before, or nothing but zeros.
    for (const tail of [whole.subarray(40, 90), Buffer.alloc(500), Buffer.from([9])]) {
      writeFileSync(newest, Buffer.concat([whole, tail]));
      expect((await outcome(folder)).ids.length).toBe(eventCount);
      expect(statSync(newest).size).toBe(whole.length);
    }
  });

  test('with `damaged: skip` the rest is served, and what is missing is told', async () => {
    const folder = copy();
    const [, second = ''] = logFiles(folder);
    flipBit(join(folder, second), 3_000);
    const told: unknown[] = [];
    const logger = { ...silentLogger, error: (fields: unknown) => void told.push(fields) };
    const { ids, altered, refused } = await outcome(folder, { damaged: 'skip', logger });
    expect(refused).toBeUndefined();
    expect(altered).toBe(0);
    expect(ids.length).toBe(eventCount - 1);
    expect(told).toContainEqual(expect.objectContaining({ file: join(folder, second) }));
  });

  test('a format of another version is refused', async () => {
    const folder = copy();
    const [first = ''] = logFiles(folder);
    const bytes = readFileSync(join(folder, first));
    bytes[8] = 2;
    writeFileSync(join(folder, first), bytes);
    expect(await outcome(folder)).toMatchObject({ refused: 'EVENTING_LOG_FORMAT' });
  });

  test('damage that comes while the log runs stops it', async () => {
    const folder = copy();
    const log = fileLog(folder, { bufferedEvents: 8 });
    await log.open();
    const files = logFiles(folder);
    flipBit(join(folder, files[2] ?? ''), 4_000);
    const trigger = log.trigger('t');
    const taken: string[] = [];
    const consumer = trigger.consume({
      onReady: () => {
        setImmediate(() => {
          for (let next = consumer.next(); next !== undefined; next = consumer.next()) {
            taken.push(next.event.id);
            next.ack();
          }
        });
      },
      prefetch: 8,
    });
    const event = createEvent({ id: 'x', source: '/', type: 't' });
    let failure: unknown;
    for (let tries = 0; tries < 500 && failure === undefined; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      try {
        await log.append(event, [], []);
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toMatchObject({ code: 'EVENTING_LOG_DAMAGED' });
    expect(taken.length).toBeLessThan(eventCount);
    await log.close();
  });

  test('a folder belongs to one log at a time', async () => {
    const folder = copy();
    await using log = fileLog(folder);
    await log.open();
    await expect(fileLog(folder).open()).rejects.toMatchObject({ code: 'EVENTING_LOG_LOCKED' });
    // A lock that a dead process left is taken over.
    const other = copy();
    writeFileSync(join(other, 'lock'), '999999999 1');
    await using second = fileLog(other);
    await second.open();
  });
});

describe('retention', () => {
  test('gives disk back by size, never what is not done', async () => {
    const folder = join(root, 'retention');
    await using log = fileLog(folder, { segmentBytes: 10_000, retainBytes: 30_000, cursorMs: 1 });
    await log.open();
    const trigger = log.trigger('t');
    const send = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++)
        await log.append(createEvent({ id: String(n), source: '/', type: 't', data: 'z'.repeat(500) }), [trigger], []);
    };
    const bytes = (): number => logFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    await send(200);
    expect(bytes()).toBeGreaterThan(100_000);
    const taker = new LogTaker(trigger);
    for (const delivery of await taker.take(200)) delivery.ack();
    await send(40);
    await expect.poll(bytes).toBeLessThan(50_000);
    await taker.take(240);
    expect((await log.stats()).firstPosition).toBeGreaterThan(1);
    taker.close();
  });

  test('gives disk back by age, and refuses events when the files are full', async () => {
    const folder = join(root, 'age');
    let nowMs = 1_700_000_000_000;
    const { realClock } = await import('../../src/clock.ts');
    const clock = { ...realClock, now: () => nowMs };
    await using log = fileLog(folder, { segmentBytes: 5_000, retainMs: 60_000, bytesMax: 60_000, cursorMs: 1, clock });
    await log.open();
    const trigger = log.trigger('t');
    const event = createEvent({ id: '1', source: '/', type: 't', data: 'z'.repeat(500) });
    let stored = 0;
    await expect(
      (async () => {
        for (;;) {
          await log.append(event, [trigger], []);
          stored++;
        }
      })(),
    ).rejects.toMatchObject({ code: 'EVENTING_LOG_FULL', status: 429 });
    expect(trigger.backlog).toBe(stored);
    const taker = new LogTaker(trigger);
    for (const delivery of await taker.take(stored)) delivery.ack();
    taker.close();
    nowMs += 120_000;
    await expect.poll(async () => (await log.stats()).bytes, { timeout: 5_000 }).toBeLessThan(20_000);
    await log.append(event, [trigger], []);
  });
});

function mountSmall(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const small = join(root, 'small');
const mounted = mountSmall(small);
afterAll(() => {
  if (mounted) execFileSync('umount', ['-l', small]);
});

describe.skipIf(!mounted)('a full disk (skipped where no small file system can be mounted)', () => {
  test('refuses, loses nothing that was acknowledged, and goes on when there is room', async () => {
    const blocker = join(small, 'blocker');
    writeFileSync(blocker, Buffer.alloc(100_000));
    const folder = join(small, 'log');
    const log = fileLog(folder, { segmentBytes: 20_000, retainBytes: 1_000, cursorMs: 1 });
    await log.open();
    const trigger = log.trigger('t');
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    const send = async (id: string): Promise<void> => {
      try {
        await log.append(createEvent({ id, source: '/', type: 't', data: 'z'.repeat(700) }), [trigger], []);
        acknowledged.push(id);
      } catch (error) {
        refused.push(error);
      }
    };
    for (let n = 0; n < 300; n++) await send(`a${n}`);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toMatchObject({ code: 'EVENTING_LOG_UNAVAILABLE', status: 503 });
    unlinkSync(blocker);
    for (let n = 0; n < 20; n++) await send(`b${n}`);
    expect(acknowledged.filter((id) => id.startsWith('b')).length).toBe(20);
    await log.close();

    const again = fileLog(folder, { cursorMs: 1 });
    await again.open();
    const taker = new LogTaker(again.trigger('t'));
    await taker.take(acknowledged.length);
    expect(taker.ids).toEqual(acknowledged);
    console.log(`full disk: ${acknowledged.length} acknowledged and delivered, ${refused.length} refused, 0 lost`);
    taker.close();
    await again.close();
  });
});
