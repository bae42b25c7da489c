import { readdir, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged, headerBytes } from './file-records.ts';
import type { Segment } from './file-segment.ts';
import { openSegment, segmentName, type OnDamage } from './file-segment.ts';
import type { StateFile } from './file-state.ts';
import type { FileTrigger } from './file-trigger.ts';

export interface Recovered {
  readonly segments: Segment[];
  readonly lastPosition: number;
}

export async function segmentNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /^\d{10}\.log$/.test(name))
    .map((name) => Number(name.slice(0, 10)))
    .sort((a, b) => a - b);
}

/**
 * Finds what is not done, reading from the lowest watermark on; older files are read when somebody asks for them. A torn end of the last
 * write, which nobody was told of, is cut away; everything else that cannot be read is damage.
 */
export async function recoverEvents(
  folder: string,
  state: StateFile,
  trigger: (name: string, position: number) => FileTrigger | undefined,
  onDamage: OnDamage | undefined,
): Promise<Recovered> {
  const segments = await openSegments(folder, state, onDamage);
  const last = segments.at(-1);
  let lastPosition = last === undefined ? 0 : last.header.firstPosition - 1;
  let low = state.durable;
  for (const cursor of state.cursors.values()) low = Math.min(low, cursor.low);
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && next.header.firstPosition <= low + 1) continue;
    const tail = { laterBatch: false };
    const visit = (event: { position: number; triggerIds: readonly number[]; offset: number }): boolean => {
      lastPosition = event.position;
      for (const id of event.triggerIds) {
        const share = trigger(segment.names[id] ?? '', event.position);
        if (share?.isDone(event.position) === false) share.recovered(event.position, { segment, offset: event.offset });
      }
      return true;
    };
    const isLast = segment === last;
    const end = await segment.scan({ visit, onDamage }, isLast ? (found) => Object.assign(tail, found) : undefined);
    if (!isLast || end >= segment.bytes) continue;
    if (tail.laterBatch) throw damaged(segment.path, end, 'a record does not match its checksum, and others follow');
    if (lastPosition < state.durable) report(segment, end, onDamage);
    await truncate(segment.path, end);
    segment.bytes = end;
  }
  if (last !== undefined && lastPosition < state.durable) report(last, last.bytes, onDamage);
  if (last === undefined && state.durable > 0) {
    if (onDamage === undefined) throw damaged(join(folder, segmentName(state.firstSegment)), 0, 'the file is missing');
    onDamage({ file: join(folder, segmentName(state.firstSegment)), offset: 0, bytes: 0 });
  }
  return { segments, lastPosition: Math.max(lastPosition, state.durable) };
}

/** Acknowledged events are not there any more. */
function report(segment: Segment, end: number, onDamage: OnDamage | undefined): void {
  if (onDamage === undefined) throw damaged(segment.path, end, 'events that were acknowledged to their senders are missing');
  onDamage({ file: segment.path, offset: end, bytes: segment.bytes - end });
}

async function openSegments(folder: string, state: StateFile, onDamage: OnDamage | undefined): Promise<Segment[]> {
  const segments: Segment[] = [];
  const numbers = await segmentNumbers(folder);
  let expected = state.firstSegment;
  for (const number of numbers) {
    const path = join(folder, segmentName(number));
    if (number < state.firstSegment) {
      // A crash came between the note that it goes and its end.
      await unlink(path);
      continue;
    }
    if (number !== expected) {
      const missing = join(folder, segmentName(expected));
      if (onDamage === undefined) throw damaged(missing, 0, 'the file is missing');
      onDamage({ file: missing, offset: 0, bytes: 0 });
    }
    expected = number + 1;
    try {
      const segment = await openSegment(folder, number);
      if (segment !== undefined) segments.push(segment);
      else if (number === numbers.at(-1)) await unlink(path);
      else throw damaged(path, 0, 'it has no header');
    } catch (error) {
      if (onDamage === undefined) throw error;
      onDamage({ file: path, offset: 0, bytes: headerBytes });
    }
  }
  return segments;
}
