import { stringifyData } from '../../cloudevents/event-data.ts';
import { EventMessage, type AttributeValue, type EventFields } from '../../cloudevents/event-message.ts';
import { KnativeError } from '../../errors.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';

// The stored form of an event and of the headers beside it, the same in every driver: one byte of format and flags, the lengths of all
// texts, the texts in one piece (one native call writes or reads them), the data. Attributes keep their types, data their form.

const formatVersion = 1;
const hasValueFlag = 0x10;
const hasBytesFlag = 0x20;
const specVersion03Flag = 0x40;

/** Appends an event. Throws CLOUDEVENTS_DATA for a value without JSON form; the writer is as before then. */
export function writeEvent(writer: ByteWriter, event: EventMessage, rawHeaders: readonly string[]): void {
  const value = event.hasValue ? stringifyData(event.data()) : undefined;
  const bytes = event.hasValue ? undefined : event.body;
  writer.byte(
    formatVersion |
      (value === undefined ? 0 : hasValueFlag) |
      (bytes === undefined ? 0 : hasBytesFlag) |
      (event.specversion === '0.3' ? specVersion03Flag : 0),
  );
  const { id, source, type, subject, time, datacontenttype, dataschema, extensions } = event;
  writer.varint(extensions.length);
  writer.varint(rawHeaders.length);
  writer.varint(id.length);
  writer.varint(source.length);
  writer.varint(type.length);
  let text = id + source + type;
  // Absent is 0, an empty text 1.
  writer.varint(subject === undefined ? 0 : subject.length + 1);
  if (subject !== undefined) text += subject;
  writer.varint(time === undefined ? 0 : time.length + 1);
  if (time !== undefined) text += time;
  writer.varint(datacontenttype === undefined ? 0 : datacontenttype.length + 1);
  if (datacontenttype !== undefined) text += datacontenttype;
  writer.varint(dataschema === undefined ? 0 : dataschema.length + 1);
  if (dataschema !== undefined) text += dataschema;
  for (let at = 0; at < extensions.length; at++) {
    const part = at % 2 === 0 ? String(extensions[at]) : typedText(extensions[at] ?? '');
    writer.varint(part.length);
    text += part;
  }
  for (const part of rawHeaders) {
    writer.varint(part.length);
    text += part;
  }
  const lengthAt = writer.length;
  writer.uint32(0);
  const written = writer.text(text);
  writer.reserve(0).writeUInt32LE(written, lengthAt);
  if (value !== undefined) writer.text(value);
  else if (bytes !== undefined) writer.bytes(bytes);
}

/** An attribute's value with its type in front. */
function typedText(value: AttributeValue): string {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'number') return `n${Object.is(value, -0) ? '-0' : String(value)}`;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return `x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}`;
}

function typedValue(text: string): AttributeValue {
  switch (text[0]) {
    case 'n':
      return Number(text.slice(1));
    case 't':
      return true;
    case 'f':
      return false;
    case 'x':
      return new Uint8Array(Buffer.from(text.slice(1), 'base64'));
    default:
      return text.slice(1);
  }
}

export interface DecodedEvent {
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
}

const noHeaders: readonly string[] = [];

/** Reads an event that fills the rest of the reader. Throws EVENTING_LOG_DAMAGED, or EVENTING_LOG_FORMAT for a format of another version. */
export function readEvent(reader: ByteReader): DecodedEvent {
  try {
    return decode(reader);
  } catch (cause) {
    if (KnativeError.is(cause)) throw cause;
    throw new KnativeError('EVENTING_LOG_DAMAGED', 'a stored event cannot be read', { cause, status: 503 });
  }
}

function decode(reader: ByteReader): DecodedEvent {
  const flags = reader.byte();
  if ((flags & 0x0f) !== formatVersion) {
    throw new KnativeError('EVENTING_LOG_FORMAT', `stored events of format ${flags & 0x0f}, this version reads ${formatVersion}`);
  }
  const extensionCount = reader.varint();
  const headerCount = reader.varint();
  const count = 7 + extensionCount + headerCount;
  const lengths: number[] = [];
  for (let at = 0; at < count; at++) lengths.push(reader.varint());
  const text = reader.text(reader.uint32());
  let from = 0;
  let next = 0;
  const required = (): string => text.slice(from, (from += lengths[next++] ?? 0));
  const optional = (): string | undefined => {
    const length = lengths[next++] ?? 0;
    return length === 0 ? undefined : text.slice(from, (from += length - 1));
  };
  const fields: EventFields = {
    specversion: (flags & specVersion03Flag) === 0 ? '1.0' : '0.3',
    id: required(),
    source: required(),
    type: required(),
    subject: optional(),
    time: optional(),
    datacontenttype: optional(),
    dataschema: optional(),
  };
  if (extensionCount > 0) {
    const extensions: (string | AttributeValue)[] = [];
    for (let at = 0; at < extensionCount; at++) extensions.push(at % 2 === 0 ? required() : typedValue(required()));
    fields.extensions = extensions;
  }
  let rawHeaders = noHeaders;
  if (headerCount > 0) {
    const headers: string[] = [];
    for (let at = 0; at < headerCount; at++) headers.push(required());
    rawHeaders = headers;
  }
  const rest = reader.slice(reader.end - reader.offset);
  if ((flags & hasValueFlag) !== 0) fields.data = JSON.parse(rest.toString('utf8'));
  // A copy: the buffer belongs to the reader, and is much larger than one body.
  else if ((flags & hasBytesFlag) !== 0) fields.body = Buffer.from(rest);
  return { event: new EventMessage(fields), rawHeaders };
}

/** An event as one buffer of its own. */
export function encodeEvent(event: EventMessage, rawHeaders: readonly string[]): Buffer {
  const writer = new ByteWriter();
  writeEvent(writer, event, rawHeaders);
  return Buffer.from(writer.written);
}

export function decodeEvent(bytes: Uint8Array): DecodedEvent {
  return readEvent(new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}
