import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteReader } from './byte-writer.ts';
import { readEvent, type DecodedEvent } from './event-codec.ts';
import {
  checkRecord,
  damaged,
  decodeHeader,
  findBatch,
  frameBytes,
  headerBytes,
  recordEvent,
  recordName,
  type FileHeader,
} from './file-records.ts';

const chunkBytes = 256 * 1024;

/** An event as it lies in a file, not yet decoded. */
export interface RecordedEvent {
  readonly position: number;
  readonly timeMs: number;
  readonly triggerIds: readonly number[];
  readonly offset: number;
  decode(): DecodedEvent;
}

/** Called with what cannot be read when it is to be skipped. */
export type OnDamage = (damage: { readonly file: string; readonly offset: number; readonly bytes: number }) => void;

export interface ScanOptions {
  readonly fromOffset?: number;
  /** Default: throw EVENTING_LOG_DAMAGED. */
  readonly onDamage?: OnDamage | undefined;
  /** Returns false to stop. Called in order. */
  readonly visit: (event: RecordedEvent) => boolean;
}

/** One file of events. Its names and their numbers hold for itself alone. */
export class Segment {
  readonly path: string;
  readonly header: FileHeader;
  /** Bytes that are on disk: nothing is read beyond. 0 before the first write. */
  bytes: number;
  /** Names of triggers by their number in this file. */
  readonly names: string[] = [];
  readonly ids = new Map<string, number>();

  constructor(folder: string, header: FileHeader, bytes = 0) {
    this.path = join(folder, segmentName(header.number));
    this.header = header;
    this.bytes = bytes;
  }

  name(id: number, name: string): void {
    this.names[id] = name;
    this.ids.set(name, id);
  }

  /**
   * Reads events in order up to the end of what is on disk; returns the offset behind the last record visited. `tail`: where a record that
   * is not whole begins is the end, and it is returned; `laterBatch` is called when a batch follows it.
   */
  async scan({ fromOffset, visit, onDamage }: ScanOptions, tail?: (found: { laterBatch: boolean }) => void): Promise<number> {
    const end = this.bytes;
    let offset = fromOffset ?? headerBytes;
    if (offset >= end) return offset;
    const handle = await open(this.path, 'r');
    try {
      let wanted = chunkBytes;
      while (offset < end) {
        const chunk = await readAt(handle, offset, Math.min(wanted, end - offset));
        const result = this.#records(chunk, offset, visit);
        offset += result.consumed;
        if (result.stopped) return offset;
        if (result.consumed > 0 && !result.bad) {
          wanted = chunkBytes;
          continue;
        }
        if (!result.bad && chunk.length < end - offset) {
          wanted = Math.max(result.needed, wanted * 2);
          continue;
        }
        const rest = await readAt(handle, offset, end - offset);
        const next = findBatch(rest, 1);
        if (tail !== undefined) {
          tail({ laterBatch: next >= 0 });
          if (next < 0 || onDamage === undefined) return offset;
        }
        if (onDamage === undefined) throw damaged(this.path, offset, 'a record does not match its checksum');
        onDamage({ file: this.path, offset, bytes: next < 0 ? rest.length : next });
        offset += next < 0 ? rest.length : next;
      }
      return offset;
    } finally {
      await handle.close();
    }
  }

  #records(
    chunk: Buffer,
    base: number,
    visit: (event: RecordedEvent) => boolean,
  ): { consumed: number; stopped: boolean; bad: boolean; needed: number } {
    let at = 0;
    while (at < chunk.length) {
      const bytes = checkRecord(chunk, at, chunk.length);
      if (bytes < 0) {
        const needed = at + frameBytes <= chunk.length ? frameBytes + chunk.readUInt32LE(at) : 0;
        return { consumed: at, stopped: false, bad: bytes === -2, needed };
      }
      const payload = at + frameBytes;
      const type = chunk[payload];
      if (type === recordName) {
        this.name(chunk.readUInt32LE(payload + 1), chunk.toString('utf8', payload + 5, payload + bytes));
      } else if (type === recordEvent) {
        const more = visit(new ChunkEvent(chunk, payload, payload + bytes, base + at));
        if (!more) return { consumed: at + frameBytes + bytes, stopped: true, bad: false, needed: 0 };
      }
      at = payload + bytes;
    }
    return { consumed: at, stopped: false, bad: false, needed: 0 };
  }
}

class ChunkEvent implements RecordedEvent {
  readonly position: number;
  readonly offset: number;
  readonly #chunk: Buffer;
  readonly #payload: number;
  readonly #end: number;

  constructor(chunk: Buffer, payload: number, end: number, offset: number) {
    this.#chunk = chunk;
    this.#payload = payload;
    this.#end = end;
    this.offset = offset;
    this.position = chunk.readDoubleLE(payload + 1);
  }

  get timeMs(): number {
    return this.#chunk.readDoubleLE(this.#payload + 9);
  }

  get triggerIds(): readonly number[] {
    const ids: number[] = [];
    const count = this.#chunk.readUInt32LE(this.#payload + 17);
    for (let at = 0; at < count; at++) ids.push(this.#chunk.readUInt32LE(this.#payload + 21 + at * 4));
    return ids;
  }

  decode(): DecodedEvent {
    const from = this.#payload + 21 + this.#chunk.readUInt32LE(this.#payload + 17) * 4;
    return readEvent(new ByteReader(this.#chunk, from, this.#end));
  }
}

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`;
}

/** The segment of a file; `undefined` when its header was never completed, so that nobody was told of anything in it. */
export async function openSegment(folder: string, number: number): Promise<Segment | undefined> {
  const path = join(folder, segmentName(number));
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size < headerBytes) return undefined;
    return new Segment(folder, decodeHeader(await readAt(handle, 0, headerBytes), path), size);
  } finally {
    await handle.close();
  }
}

export async function readAt(handle: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}
