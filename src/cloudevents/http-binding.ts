import { isAbsoluteUri, isAttributeName, isReservedName, isTimestamp, isUriReference } from './attribute-rules.ts';
import { textOfAttribute } from './attribute-text.ts';
import { defaultBodyBytesMax, type DecodeOptions } from './decode-options.ts';
import { EventFault } from './event-fault.ts';
import { EventMessage, type AttributeValue, type EventFields } from './event-message.ts';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
import { decodeBatch, decodeStructured, encodeJson, eventToJson, impliesJson } from './json-format.ts';
import { modeOfContentType, type ContentMode } from './media-type.ts';
import { stringifyData } from './event-data.ts';

/** Headers (names and values in turn) and body of an HTTP message that carries events. */
export interface EncodedEvent {
  readonly rawHeaders: string[];
  readonly body: Uint8Array | undefined;
}

/** How an HTTP message carries events, by its headers alone; `undefined` when it is no event. */
export function modeOfHeaders(rawHeaders: readonly string[]): ContentMode | undefined {
  let hasVersion = false;
  let mode: ContentMode = 'binary';
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const slot = slotOf(rawHeaders[i] ?? '');
    if (slot === specversionSlot) hasVersion = true;
    else if (slot === contentTypeSlot) mode = modeOfContentType(rawHeaders[i + 1]);
  }
  return mode === 'binary' && !hasVersion ? undefined : mode;
}

/** True when an HTTP message with these headers carries one event that `decodeHttp` can read (its verdict may still be a fault). */
export function isEvent(rawHeaders: readonly string[]): boolean {
  const mode = modeOfHeaders(rawHeaders);
  return mode === 'binary' || mode === 'structured';
}

/**
 * The event of an HTTP message in binary or structured mode, or why it is none. Headers are names and values in turn as
 * node:http's `rawHeaders`; `body` is `undefined` or empty when there is none and is kept, not copied. Never throws.
 */
export function decodeHttp(
  rawHeaders: readonly string[],
  body: Uint8Array | undefined,
  options?: DecodeOptions,
): EventMessage | EventFault {
  resetFields();
  const mode = readHeaders(rawHeaders);
  if (mode instanceof EventFault) return mode;
  if (mode === 'structured') return decodeStructured(body ?? noBytes, options);
  if (mode === 'batch') return new EventFault('CLOUDEVENTS_FORMAT', 'a batch cannot be taken as one event');
  if (mode === 'unsupported') return new EventFault('CLOUDEVENTS_FORMAT', 'the event format is not supported, only JSON is');
  const fault = checkFields(rawHeaders);
  if (fault !== undefined) return fault;
  if (body !== undefined && body.length > 0) {
    const bytesMax = options?.bodyBytesMax ?? defaultBodyBytesMax;
    if (body.length > bytesMax) return new EventFault('CLOUDEVENTS_TOO_LARGE', `the data have more than ${bytesMax} bytes`);
    fields.body = body;
  }
  return new EventMessage(fields);
}

/** The events of an HTTP message in any mode: one for binary and structured, all of a batch, or the first fault. */
export function decodeHttpEvents(
  rawHeaders: readonly string[],
  body: Uint8Array | undefined,
  options?: DecodeOptions,
): EventMessage[] | EventFault {
  if (modeOfHeaders(rawHeaders) === 'batch') return decodeBatch(body ?? noBytes, options);
  const event = decodeHttp(rawHeaders, body, options);
  return event instanceof EventFault ? event : [event];
}

const noBytes = new Uint8Array(0);
const noExtensions: readonly (string | AttributeValue)[] = [];

const ignoredSlot = 0;
const extensionSlot = 1;
const badNameSlot = 2;
const contentTypeSlot = 3;
const specversionSlot = 4;
const idSlot = 5;
const sourceSlot = 6;
const typeSlot = 7;
const subjectSlot = 8;
const timeSlot = 9;
const dataschemaSlot = 10;

const knownSlots: Readonly<Record<string, number>> = {
  specversion: specversionSlot,
  id: idSlot,
  source: sourceSlot,
  type: typeSlot,
  subject: subjectSlot,
  time: timeSlot,
  dataschema: dataschemaSlot,
  // The content type travels in Content-Type; this header is not part of the binding.
  datacontenttype: ignoredSlot,
};

/** What a header name means. */
interface HeaderName {
  readonly slot: number;
  /** The attribute's name. */
  readonly name: string;
}

// Spelling of a header name as received → what it means, so that lower-casing and checking happen once per spelling. Bounded,
// because peers choose the spellings.
const headerNames = new Map<string, HeaderName>();
const headerNamesMax = 4_096;
const headerNameLengthMax = 64;

function headerName(raw: string): HeaderName {
  const known = headerNames.get(raw);
  if (known !== undefined) return known;
  const meaning = meaningOf(raw.toLowerCase());
  if (headerNames.size < headerNamesMax && raw.length <= headerNameLengthMax) headerNames.set(raw, meaning);
  return meaning;
}

function meaningOf(lower: string): HeaderName {
  if (lower === 'content-type') return { slot: contentTypeSlot, name: 'datacontenttype' };
  if (!lower.startsWith('ce-')) return { slot: ignoredSlot, name: '' };
  const name = lower.slice(3);
  if (Object.hasOwn(knownSlots, name)) return { slot: knownSlots[name] ?? ignoredSlot, name };
  return { slot: isAttributeName(name) && !isReservedName(name) ? extensionSlot : badNameSlot, name };
}

function slotOf(raw: string): number {
  return headerName(raw).slot;
}

// Filled anew for every event, so that decoding allocates the event alone.
const fields: EventFields = { id: '', source: '', type: '' };
let specversion: string | undefined;

function resetFields(): void {
  specversion = undefined;
  fields.specversion = '1.0';
  fields.id = '';
  fields.source = '';
  fields.type = '';
  fields.subject = undefined;
  fields.time = undefined;
  fields.datacontenttype = undefined;
  fields.dataschema = undefined;
  fields.extensions = noExtensions;
  fields.body = undefined;
  fields.data = undefined;
}

function readHeaders(rawHeaders: readonly string[]): ContentMode | EventFault {
  let extensions: (string | AttributeValue)[] | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const { slot, name } = headerName(rawHeaders[i] ?? '');
    if (slot === ignoredSlot) continue;
    const raw = rawHeaders[i + 1] ?? '';
    if (slot === contentTypeSlot) {
      const mode = modeOfContentType(raw);
      if (mode !== 'binary') return mode;
      if (raw !== '') fields.datacontenttype = raw;
      continue;
    }
    if (slot === badNameSlot) continue;
    const value = decodeHeaderValue(raw);
    if (value === undefined) return new EventFault('CLOUDEVENTS_ENCODING', 'is not UTF-8', name, raw);
    if (slot === extensionSlot) {
      (extensions ??= []).push(name, value);
    } else setKnown(slot, value);
  }
  if (extensions !== undefined) fields.extensions = extensions;
  return 'binary';
}

function setKnown(slot: number, value: string): void {
  switch (slot) {
    case specversionSlot:
      specversion = value;
      break;
    case idSlot:
      fields.id = value;
      break;
    case sourceSlot:
      fields.source = value;
      break;
    case typeSlot:
      fields.type = value;
      break;
    case subjectSlot:
      fields.subject = value;
      break;
    case timeSlot:
      fields.time = value;
      break;
    default:
      fields.dataschema = value;
  }
}

function invalid(name: string, rule: string, value: unknown): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_VALUE', rule, name, value);
}

function missing(name: string, value: unknown): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_MISSING', 'must be a non-empty string', name, value);
}

function checkFields(rawHeaders: readonly string[]): EventFault | undefined {
  if (specversion !== '1.0') {
    if (specversion === undefined)
      return new EventFault('CLOUDEVENTS_NOT_AN_EVENT', 'neither a ce-specversion header nor a CloudEvents content type');
    if (specversion === '') return missing('specversion', '');
    return new EventFault('CLOUDEVENTS_SPECVERSION', 'must be 1.0', 'specversion', specversion);
  }
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const { slot, name } = headerName(rawHeaders[i] ?? '');
    if (slot === badNameSlot)
      return new EventFault('CLOUDEVENTS_ATTRIBUTE_NAME', 'must be named by lower-case letters and digits only', name);
  }
  if (fields.id === '') return missing('id', undefined);
  if (fields.source === '') return missing('source', undefined);
  if (fields.type === '') return missing('type', undefined);
  if (!isUriReference(fields.source)) return invalid('source', 'must be a URI-reference', fields.source);
  if (fields.subject === '') return invalid('subject', 'must be a non-empty string', '');
  if (fields.time !== undefined && !isTimestamp(fields.time)) return invalid('time', 'must be an RFC 3339 time', fields.time);
  if (fields.dataschema !== undefined && !isAbsoluteUri(fields.dataschema)) {
    return invalid('dataschema', 'must be an absolute URI', fields.dataschema);
  }
  return undefined;
}

/** Binary mode: attributes as headers, the data as the body. JSON data without content type get `application/json`, so that they stay JSON. */
export function encodeBinary(event: EventMessage): EncodedEvent {
  const rawHeaders = [
    'ce-specversion',
    event.specversion,
    'ce-id',
    encodeHeaderValue(event.id),
    'ce-source',
    encodeHeaderValue(event.source),
    'ce-type',
    encodeHeaderValue(event.type),
  ];
  if (event.subject !== undefined) rawHeaders.push('ce-subject', encodeHeaderValue(event.subject));
  if (event.time !== undefined) rawHeaders.push('ce-time', encodeHeaderValue(event.time));
  if (event.dataschema !== undefined) rawHeaders.push('ce-dataschema', encodeHeaderValue(event.dataschema));
  const extensions = event.extensions;
  for (let i = 0; i + 1 < extensions.length; i += 2) {
    rawHeaders.push(`ce-${String(extensions[i])}`, encodeHeaderValue(textOfAttribute(extensions[i + 1] ?? '')));
  }
  if (event.datacontenttype !== undefined) rawHeaders.push('content-type', event.datacontenttype);
  else if (impliesJson(event)) rawHeaders.push('content-type', 'application/json');
  return { rawHeaders, body: event.body };
}

/** Structured mode: everything in one JSON body. */
export function encodeStructured(event: EventMessage): EncodedEvent {
  return { rawHeaders: ['content-type', 'application/cloudevents+json; charset=utf-8'], body: encodeJson(event) };
}

/** Batched mode: a JSON array of events, which may be empty. */
export function encodeBatch(events: readonly EventMessage[]): EncodedEvent {
  return {
    rawHeaders: ['content-type', 'application/cloudevents-batch+json; charset=utf-8'],
    body: Buffer.from(stringifyData(events.map(eventToJson)), 'utf8'),
  };
}
