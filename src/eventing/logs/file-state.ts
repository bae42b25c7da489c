import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { ParkedEvent, ParkReason } from '../log.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import { readEvent, writeEvent } from './event-codec.ts';
import {
  beginRecord,
  checkRecord,
  damaged,
  decodeHeader,
  encodeHeader,
  endRecord,
  findBatch,
  frameBytes,
  headerBytes,
  recordParked,
  recordState,
  writeBatchStart,
} from './file-records.ts';
import { readAt, type OnDamage } from './file-segment.ts';

/** What a trigger has done: everything up to `low`, and ranges above it. */
export interface TriggerCursor {
  readonly low: number;
  readonly ranges: readonly (readonly [number, number])[];
}

/** One change. What is left out stays. */
export interface StateChange {
  /** Everything up to this position was on disk. */
  readonly durable?: number;
  /** Number of the oldest segment kept. */
  readonly firstSegment?: number;
  readonly cursors?: Readonly<Record<string, TriggerCursor>>;
  /** Triggers forgotten, with the last position that was theirs. */
  readonly removed?: Readonly<Record<string, number>>;
  readonly unparked?: readonly string[];
}

/** Where a parked event lies in the file. */
interface ParkedPlace {
  readonly trigger: string;
  offset: number;
  readonly bytes: number;
}

interface ParkedMeta extends ParkReason {
  readonly id: string;
  readonly trigger: string;
  readonly timeMs: number;
}

/** Below this the file is never compacted. */
const compactBytes = 1024 * 1024;

/** The journal of what is done: cursors, removed triggers, parked events. Compacted by writing a new one when most of it is out of date. */
export class StateFile {
  readonly cursors = new Map<string, TriggerCursor>();
  readonly removed = new Map<string, number>();
  durable = 0;
  firstSegment = 1;
  readonly #parked = new Map<string, ParkedPlace>();
  readonly #folder: string;
  #handle: FileHandle;
  bytes = 0;
  /** Bytes of parked records that are needed. */
  #liveBytes = 0;
  #pending = new ByteWriter();
  #spare = new ByteWriter();
  #added: [string, ParkedPlace][] = [];
  #flushed: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, handle: FileHandle) {
    this.#folder = folder;
    this.#handle = handle;
  }

  /** Reads the journal, or begins one. */
  static async open(folder: string, create: boolean, nowMs: number, onDamage: OnDamage | undefined): Promise<StateFile> {
    const path = join(folder, 'state');
    if (create) await writeWhole(folder, [encodeHeader({ kind: 'state', number: 0, firstPosition: 0, createdMs: nowMs })]);
    const handle = await open(path, 'r+').catch((cause: unknown) => {
      if (onDamage === undefined) throw Object.assign(damaged(path, 0, 'it is missing while there are events'), { cause });
      onDamage({ file: path, offset: 0, bytes: 0 });
      return undefined;
    });
    if (handle === undefined) return await StateFile.open(folder, true, nowMs, onDamage);
    const state = new StateFile(folder, handle);
    try {
      await state.#load(path, onDamage);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return state;
  }

  async #load(path: string, onDamage: OnDamage | undefined): Promise<void> {
    const { size } = await this.#handle.stat();
    const file = await readAt(this.#handle, 0, size);
    decodeHeader(file, path);
    let at = headerBytes;
    while (at < file.length) {
      const bytes = checkRecord(file, at, file.length);
      if (bytes < 0) {
        const next = findBatch(file, at + 1);
        if (next < 0) break;
        if (onDamage === undefined) throw damaged(path, at, 'a record does not match its checksum');
        onDamage({ file: path, offset: at, bytes: next - at });
        at = next;
        continue;
      }
      const payload = at + frameBytes;
      if (file[payload] === recordState) this.#apply(changeOf(file.toString('utf8', payload + 1, payload + bytes)));
      if (file[payload] === recordParked) {
        const { id, trigger } = metaOf(new ByteReader(file, payload + 1, payload + bytes));
        this.#place(id, { trigger, offset: at, bytes: frameBytes + bytes });
      }
      at = payload + bytes;
    }
    this.bytes = at;
    if (at < file.length) await this.#handle.truncate(at);
  }

  #apply({ durable, firstSegment, cursors = {}, removed = {}, unparked = [] }: StateChange): void {
    this.durable = durable ?? this.durable;
    this.firstSegment = firstSegment ?? this.firstSegment;
    for (const [name, position] of Object.entries(removed)) {
      this.removed.set(name, position);
      this.cursors.delete(name);
      for (const [id, { trigger }] of this.#parked) if (trigger === name) this.#unplace(id);
    }
    for (const [name, cursor] of Object.entries(cursors)) this.cursors.set(name, cursor);
    for (const id of unparked) this.#unplace(id);
  }

  #place(id: string, place: ParkedPlace): void {
    this.#unplace(id);
    this.#parked.set(id, place);
    this.#liveBytes += place.bytes;
  }

  #unplace(id: string): void {
    this.#liveBytes -= this.#parked.get(id)?.bytes ?? 0;
    this.#parked.delete(id);
  }

  /** Forgets removals whose events are gone. */
  forgetRemovals(below: number): void {
    for (const [name, position] of this.removed) if (position < below) this.removed.delete(name);
  }

  has(id: string): boolean {
    return this.#parked.has(id);
  }

  parkedCount(trigger: string): number {
    let count = 0;
    for (const place of this.#parked.values()) if (place.trigger === trigger) count++;
    return count;
  }

  /** Writes a change; resolves when it is on disk. */
  change(change: StateChange): Promise<void> {
    this.#apply(change);
    const start = this.#begin(recordState);
    this.#pending.text(JSON.stringify(change));
    endRecord(this.#pending, start);
    return this.#flush();
  }

  park(meta: ParkedMeta, event: EventMessage, rawHeaders: readonly string[]): Promise<void> {
    const start = this.#begin(recordParked);
    const text = Buffer.from(JSON.stringify(meta));
    this.#pending.uint32(text.length);
    this.#pending.bytes(text);
    writeEvent(this.#pending, event, rawHeaders);
    endRecord(this.#pending, start);
    this.#added.push([meta.id, { trigger: meta.trigger, offset: start, bytes: this.#pending.length - start }]);
    return this.#flush();
  }

  #begin(type: number): number {
    if (this.#pending.length === 0) writeBatchStart(this.#pending, 0);
    return beginRecord(this.#pending, type);
  }

  #flush(): Promise<void> {
    this.#flushed ??= this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#flushed;
  }

  async #write(): Promise<void> {
    const { written } = this.#pending;
    const added = this.#added;
    [this.#pending, this.#spare] = [this.#spare, this.#pending];
    this.#pending.reset();
    this.#added = [];
    this.#flushed = undefined;
    const base = this.bytes;
    try {
      await writeAll(this.#handle, written, base);
      await this.#handle.datasync();
    } catch (error) {
      await this.#handle.truncate(base).catch(() => undefined);
      throw error;
    }
    this.bytes = base + written.length;
    for (const [id, place] of added) this.#place(id, { ...place, offset: base + place.offset });
    if (this.bytes > compactBytes && this.bytes > 4 * (this.#liveBytes + this.#cursorBytes())) await this.#compact();
  }

  #cursorBytes(): number {
    let bytes = 0;
    for (const [name, { ranges }] of this.cursors) bytes += name.length + 32 + ranges.length * 24;
    return bytes;
  }

  async #compact(): Promise<void> {
    const whole: StateChange = {
      durable: this.durable,
      firstSegment: this.firstSegment,
      removed: Object.fromEntries(this.removed),
      cursors: Object.fromEntries(this.cursors),
    };
    const writer = new ByteWriter();
    writer.bytes(encodeHeader({ kind: 'state', number: 0, firstPosition: 0, createdMs: 0 }));
    writeBatchStart(writer, 0);
    const start = beginRecord(writer, recordState);
    writer.text(JSON.stringify(whole));
    endRecord(writer, start);
    const parts: Buffer[] = [writer.written];
    let bytes = writer.length;
    const moved: [ParkedPlace, number][] = [];
    for (const place of this.#parked.values()) {
      parts.push(await readAt(this.#handle, place.offset, place.bytes));
      moved.push([place, bytes]);
      bytes += place.bytes;
    }
    await writeWhole(this.#folder, parts);
    const old = this.#handle;
    this.#handle = await open(join(this.#folder, 'state'), 'r+');
    this.bytes = bytes;
    for (const [place, offset] of moved) place.offset = offset;
    await old.close();
  }

  async *parked(trigger: string | undefined): AsyncIterable<ParkedEvent> {
    await this.#writing.catch(() => undefined);
    for (const id of [...this.#parked.keys()]) {
      const place = this.#parked.get(id);
      if (place === undefined || (trigger !== undefined && place.trigger !== trigger)) continue;
      const record = await readAt(this.#handle, place.offset, place.bytes);
      if (checkRecord(record, 0, record.length) < 0) {
        throw damaged(join(this.#folder, 'state'), place.offset, 'a parked event does not match its checksum');
      }
      const reader = new ByteReader(record, frameBytes + 1);
      yield { ...metaOf(reader), ...readEvent(reader) };
    }
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }
}

/** The text of a record whose checksum was right is what this file wrote. */
function changeOf(text: string): StateChange {
  const change: StateChange = JSON.parse(text);
  return change;
}

function metaOf(reader: ByteReader): ParkedMeta {
  const meta: ParkedMeta = JSON.parse(reader.text(reader.uint32()));
  return meta;
}

export async function writeAll(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
}

/** Replaces the journal by a new one in one step. */
async function writeWhole(folder: string, parts: readonly Buffer[]): Promise<void> {
  const temporary = join(folder, 'state.new');
  const handle = await open(temporary, 'w');
  try {
    let offset = 0;
    for (const part of parts) {
      await writeAll(handle, part, offset);
      offset += part.length;
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(folder, 'state'));
  await syncFolder(folder);
}

/** Makes new and renamed files of a folder durable. Windows has no such call, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
