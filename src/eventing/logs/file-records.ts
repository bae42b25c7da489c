import { KnativeError } from '../../errors.ts';
import type { ByteWriter } from './byte-writer.ts';

type Checksum = (bytes: Uint8Array) => number;

/** Loaded on first use: importing this package must cost nothing to those who have no files. */
let checksum: Checksum | undefined;

function crc32(bytes: Uint8Array): number {
  checksum ??= process.getBuiltinModule('node:zlib').crc32;
  return checksum(bytes);
}

// Files of the file log: a header with format version, then records, each with length and checksum. A record that does not match its
// checksum is never handed out: it is the torn end of a write that nobody was told of, or damage.

/** Format of the files; another one is refused. */
export const fileFormatVersion = 1;
/** Magic, version, kind, three numbers, checksum. */
export const headerBytes = 8 + 1 + 1 + 24 + 4;
/** Length and checksum in front of each record. */
export const frameBytes = 8;
/** No record is larger: a length beyond it is damage and not a reason to allocate. */
export const recordBytesMax = 512 * 1024 * 1024;

const magic = Buffer.from('KNEMBLOG', 'latin1');
/** At the start of each batch record, to find the next batch behind damage. */
const batchMagic = Buffer.from('\u0003KNBATCH', 'latin1');

export const recordEvent = 1;
export const recordName = 2;
export const recordBatch = 3;
export const recordState = 4;
export const recordParked = 5;

export interface FileHeader {
  readonly kind: 'segment' | 'state';
  readonly number: number;
  /** Segments: position of the first event that may be inside. */
  readonly firstPosition: number;
  readonly createdMs: number;
}

export function encodeHeader({ kind, number, firstPosition, createdMs }: FileHeader): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header[8] = fileFormatVersion;
  header[9] = kind === 'segment' ? 1 : 2;
  header.writeDoubleLE(number, 10);
  header.writeDoubleLE(firstPosition, 18);
  header.writeDoubleLE(createdMs, 26);
  header.writeUInt32LE(crc32(header.subarray(0, headerBytes - 4)), headerBytes - 4);
  return header;
}

/** Throws EVENTING_LOG_FORMAT and EVENTING_LOG_DAMAGED. */
export function decodeHeader(header: Buffer, file: string): FileHeader {
  if (header.length < headerBytes || !header.subarray(0, 8).equals(magic))
    throw damaged(file, 0, 'it does not start as a log file');
  const version = header[8];
  if (version !== fileFormatVersion) {
    throw new KnativeError(
      'EVENTING_LOG_FORMAT',
      `${file} has format ${String(version)}, this version reads ${fileFormatVersion}`,
      {
        path: file,
        hint: 'open it with the version of the package that wrote it, let its subscribers finish, then start with an empty folder',
      },
    );
  }
  if (header.readUInt32LE(headerBytes - 4) !== crc32(header.subarray(0, headerBytes - 4))) {
    throw damaged(file, 0, 'its header does not match its checksum');
  }
  return {
    kind: header[9] === 1 ? 'segment' : 'state',
    number: header.readDoubleLE(10),
    firstPosition: header.readDoubleLE(18),
    createdMs: header.readDoubleLE(26),
  };
}

export function damaged(file: string, offset: number, what: string): KnativeError {
  return new KnativeError('EVENTING_LOG_DAMAGED', `${file} is damaged at byte ${offset}: ${what}`, {
    path: file,
    status: 503,
    hint: 'restore the folder from a copy, or open it with `damaged: "skip"`, which reports and leaves out what cannot be read',
  });
}

/** Begins a record; `endRecord` with what this returns completes it. */
export function beginRecord(writer: ByteWriter, type: number): number {
  const start = writer.length;
  writer.reserve(frameBytes + 1);
  writer.length += frameBytes;
  writer.byte(type);
  return start;
}

export function endRecord(writer: ByteWriter, start: number): void {
  const buffer = writer.reserve(0);
  const payload = buffer.subarray(start + frameBytes, writer.length);
  buffer.writeUInt32LE(payload.length, start);
  buffer.writeUInt32LE(crc32(payload), start + 4);
}

/** The start of a batch: written only after the batch before is on disk. */
export function writeBatchStart(writer: ByteWriter, firstPosition: number): void {
  const start = writer.length;
  writer.reserve(frameBytes + batchMagic.length + 8);
  writer.length += frameBytes;
  writer.bytes(batchMagic);
  writer.double(firstPosition);
  endRecord(writer, start);
}

/** Bytes of the record's payload at `offset`; -1 when it is not complete in the buffer, -2 when it does not match its checksum. */
export function checkRecord(buffer: Buffer, offset: number, end: number): number {
  if (offset + frameBytes > end) return -1;
  const bytes = buffer.readUInt32LE(offset);
  if (bytes === 0 || bytes > recordBytesMax) return -2;
  const from = offset + frameBytes;
  if (from + bytes > end) return -1;
  return crc32(buffer.subarray(from, from + bytes)) === buffer.readUInt32LE(offset + 4) ? bytes : -2;
}

/** Offset of the next batch from `offset` on whose first record is whole, -1 without one. */
export function findBatch(buffer: Buffer, offset: number): number {
  for (let at = offset; ; at++) {
    at = buffer.indexOf(batchMagic, at);
    if (at < 0) return -1;
    if (at - frameBytes >= offset && checkRecord(buffer, at - frameBytes, buffer.length) === batchMagic.length + 8) {
      return at - frameBytes;
    }
  }
}
