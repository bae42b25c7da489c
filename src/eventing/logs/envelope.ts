import type { EventMessage } from '../../cloudevents/event-message.ts';
import { KnativeError } from '../../errors.ts';
import type { ParkReason } from '../log.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import { readEvent, writeEvent, type DecodedEvent } from './event-codec.ts';

// What the drivers with a server send: the event in its stored form with what the server has no field for.

/** One trigger of an event: its name, and the name of its share at the server, new for each life of a trigger. */
export interface EnvelopeShare {
  readonly name: string;
  readonly share: string;
}

export interface Envelope extends DecodedEvent {
  readonly timeMs: number;
  readonly position: number;
  readonly shares: readonly EnvelopeShare[];
}

export function encodeEnvelope(
  event: EventMessage,
  rawHeaders: readonly string[],
  { timeMs, position, shares }: { timeMs: number; position: number; shares: readonly EnvelopeShare[] },
): Buffer {
  const writer = new ByteWriter();
  writer.double(timeMs);
  writer.double(position);
  const text = Buffer.from(JSON.stringify(shares.map(({ name, share }) => [name, share])));
  writer.uint32(text.length);
  writer.bytes(text);
  writeEvent(writer, event, rawHeaders);
  return Buffer.from(writer.written);
}

/** Throws EVENTING_LOG_DAMAGED for bytes that are no envelope. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const { reader, ...head } = readHead(bytes);
  return { ...head, ...readEvent(reader) };
}

/** The triggers of an envelope, without reading the event. */
export function sharesOf(bytes: Uint8Array): readonly EnvelopeShare[] {
  return readHead(bytes).shares;
}

function readHead(bytes: Uint8Array): { timeMs: number; position: number; shares: EnvelopeShare[]; reader: ByteReader } {
  const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    const timeMs = reader.double();
    const position = reader.double();
    const pairs: [string, string][] = JSON.parse(reader.text(reader.uint32()));
    return { timeMs, position, shares: pairs.map(([name, share]) => ({ name, share })), reader };
  } catch (cause) {
    throw new KnativeError('EVENTING_LOG_DAMAGED', 'the server holds a message that is not an event of this log', {
      cause,
      status: 503,
      hint: 'give the log a stream or prefix of its own',
    });
  }
}

export interface ParkedMeta extends ParkReason {
  readonly trigger: string;
  readonly timeMs: number;
}

export function encodeParked(meta: ParkedMeta, event: EventMessage, rawHeaders: readonly string[]): Buffer {
  const { destination, status, message, attempts, trigger, timeMs } = meta;
  const writer = new ByteWriter();
  const text = Buffer.from(JSON.stringify({ destination, status, message, attempts, trigger, timeMs }));
  writer.uint32(text.length);
  writer.bytes(text);
  writeEvent(writer, event, rawHeaders);
  return Buffer.from(writer.written);
}

export function decodeParked(bytes: Uint8Array): ParkedMeta & DecodedEvent {
  const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const meta: ParkedMeta = JSON.parse(reader.text(reader.uint32()));
  return { ...meta, ...readEvent(reader) };
}

/** A name that every server takes, for one life of a trigger. */
export function shareName(trigger: string, nowMs: number): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256').update(trigger).digest('hex').slice(0, 16);
  return `${hash}-${nowMs.toString(36)}-${process.pid.toString(36)}-${(shares++).toString(36)}`;
}

let shares = 0;
