import {
  applyUpstreamRules,
  badName,
  checkFields,
  checkRequired,
  fields,
  missingAttribute,
  resetFields,
  tooManyExtensions,
} from './decode-fields.ts';
import { defaultBodyBytesMax, extensionsMax, type DecodeOptions } from './decode-options.ts';
import { EventFault } from './event-fault.ts';
import { EventMessage, type AttributeValue } from './event-message.ts';
import {
  badNameSlot,
  contentTypeSlot,
  dataSlot,
  datacontenttypeSlot,
  dataschemaSlot,
  extensionSlot,
  headerNameOf,
  idSlot,
  ignoredSlot,
  sourceSlot,
  specversionSlot,
  subjectSlot,
  timeSlot,
  typeSlot,
} from './header-names.ts';
import { decodeHeaderValue } from './header-value.ts';
import { decodeBatch, decodeStructured } from './json-format.ts';
import { modeOfContentType, type ContentMode } from './media-type.ts';

/** How an HTTP message carries events, by its headers alone; `undefined` when it is no event. */
export function modeOfHeaders(rawHeaders: readonly string[]): ContentMode | undefined {
  let hasVersion = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const slot = headerNameOf(rawHeaders[i] ?? '').slot;
    if (slot === specversionSlot) hasVersion = true;
    else if (slot === contentTypeSlot) {
      const mode = modeOfContentType(rawHeaders[i + 1]);
      if (mode !== 'binary') return mode;
    }
  }
  return hasVersion ? 'binary' : undefined;
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
  const upstream = options?.as === 'upstream';
  const mode = readHeaders(rawHeaders, upstream);
  if (mode !== 'binary') {
    if (mode === 'structured') return decodeStructured(body ?? noBytes, options);
    if (mode === 'batch') return new EventFault('CLOUDEVENTS_FORMAT', 'a batch cannot be taken as one event');
    if (mode === 'unsupported') return new EventFault('CLOUDEVENTS_FORMAT', 'the event format is not supported, only JSON is');
    return mode;
  }
  const fault = checkVersion(upstream) ?? (upstream ? (applyUpstreamRules() ?? checkRequired(options)) : checkFields());
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

let specversion: string | undefined;
let extensions: (string | AttributeValue)[] | undefined;

/** Reads the attributes into `fields`, or finds that the message is not in binary mode. */
function readHeaders(rawHeaders: readonly string[], upstream: boolean): ContentMode | EventFault {
  specversion = undefined;
  extensions = undefined;
  let fault: EventFault | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const { slot, name } = headerNameOf(rawHeaders[i] ?? '');
    if (slot === ignoredSlot) continue;
    const raw = rawHeaders[i + 1] ?? '';
    if (slot === contentTypeSlot) {
      const mode = modeOfContentType(raw);
      // Upstream takes a format that it does not know for the content type of a binary event.
      if (mode !== 'binary' && !(upstream && mode === 'unsupported')) return mode;
      if (raw !== '') fields.datacontenttype ??= raw;
      continue;
    }
    // Faults wait until the end: the headers of a structured event do not count.
    fault ??= takeHeader(slot, name, raw, upstream);
  }
  if (fault !== undefined) return specversion === undefined ? notAnEvent() : fault;
  if (extensions !== undefined) fields.extensions = extensions;
  return 'binary';
}

function takeHeader(slot: number, name: string, raw: string, upstream: boolean): EventFault | undefined {
  if (slot === badNameSlot) return badName(name);
  if (slot === datacontenttypeSlot) return upstream ? badName(name) : undefined;
  if (slot === dataSlot && !upstream) return badName(name);
  const value = decodeHeaderValue(raw) ?? (upstream ? raw : undefined);
  if (value === undefined) return new EventFault('CLOUDEVENTS_ENCODING', 'is not UTF-8', name, raw);
  const first = slot === extensionSlot || slot === dataSlot ? addExtension(name, value) : setKnown(slot, value);
  // Upstream looks at the first one only.
  if (!first) return upstream ? undefined : new EventFault('CLOUDEVENTS_ATTRIBUTE_REPEATED', 'must not be repeated', name, value);
  if (slot === idSlot && value === '' && upstream) return missingAttribute('id', '');
  if (extensions !== undefined && extensions.length > 2 * extensionsMax) return tooManyExtensions();
  return undefined;
}

/** False when there is one of that name already. */
function addExtension(name: string, value: string): boolean {
  if (extensions === undefined) {
    extensions = [name, value];
    return true;
  }
  for (let i = 0; i < extensions.length; i += 2) if (extensions[i] === name) return false;
  extensions.push(name, value);
  return true;
}

/** False when the attribute has a value already. */
function setKnown(slot: number, value: string): boolean {
  let first: boolean;
  switch (slot) {
    case specversionSlot:
      first = specversion === undefined;
      if (first) specversion = value;
      return first;
    case idSlot:
      first = fields.id === '';
      if (first) fields.id = value;
      return first;
    case sourceSlot:
      first = fields.source === '';
      if (first) fields.source = value;
      return first;
    case typeSlot:
      first = fields.type === '';
      if (first) fields.type = value;
      return first;
    case subjectSlot:
      first = fields.subject === undefined;
      if (first) fields.subject = value;
      return first;
    case timeSlot:
      first = fields.time === undefined;
      if (first) fields.time = value;
      return first;
    case dataschemaSlot:
      first = fields.dataschema === undefined;
      if (first) fields.dataschema = value;
      return first;
    default:
      return true;
  }
}

function notAnEvent(): EventFault {
  return new EventFault(
    'CLOUDEVENTS_NOT_AN_EVENT',
    'the message has neither a ce-specversion header nor a CloudEvents content type',
  );
}

function checkVersion(upstream: boolean): EventFault | undefined {
  if (specversion === '1.0') return undefined;
  if (specversion === undefined) return notAnEvent();
  if (upstream && specversion === '0.3') {
    fields.specversion = '0.3';
    return undefined;
  }
  if (specversion === '') return missingAttribute('specversion', '');
  return new EventFault('CLOUDEVENTS_SPECVERSION', upstream ? 'must be 1.0 or 0.3' : 'must be 1.0', 'specversion', specversion);
}
