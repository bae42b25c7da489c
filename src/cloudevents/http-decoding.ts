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
import { isPlainUriReference } from './attribute-rules.ts';
import { defaultBodyBytesMax, extensionsMax, type DecodeOptions } from './decode-options.ts';
import { EventFault } from './event-fault.ts';
import { EventMessage, type AttributeValue } from './event-message.ts';
import {
  badNameSlot,
  contentTypeSlot,
  dataSlot,
  datacontenttypeSlot,
  dataschemaSlot,
  headerNameOf,
  idSlot,
  ignoredSlot,
  oddSlot,
  sourceSlot,
  specversionSlot,
  subjectSlot,
  timeSlot,
  typeSlot,
  type HeaderName,
} from './header-names.ts';
import { decodeHeaderValue, isPlainHeaderValue } from './header-value.ts';
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
  const fault = upstream ? (applyUpstreamRules() ?? checkRequired(options)) : checkFields();
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

/** Reads the attributes into `fields`, or finds that the message is not in binary mode. */
function readHeaders(rawHeaders: readonly string[], upstream: boolean): ContentMode | EventFault {
  let specversion: string | undefined;
  let extensions: (string | AttributeValue)[] | undefined;
  let fault: EventFault | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = headerNameOf(rawHeaders[i] ?? '');
    const slot = header.slot;
    if (slot === ignoredSlot) continue;
    const raw = rawHeaders[i + 1] ?? '';
    if (slot === contentTypeSlot) {
      const mode = modeOfContentType(raw);
      // Upstream takes a format that it does not know for the content type of a binary event.
      if (mode !== 'binary' && !(upstream && mode === 'unsupported')) return mode;
      if (raw !== '') fields.datacontenttype ??= raw;
      continue;
    }
    if (slot === sourceSlot && fields.source === '' && isPlainUriReference(raw)) {
      fields.source = raw;
      continue;
    }
    // Bytes that are not UTF-8 are a fault; upstream takes them as they are.
    const value = isPlainHeaderValue(raw) ? raw : (decodeHeaderValue(raw) ?? (upstream ? raw : undefined));
    if (value === undefined || slot >= oddSlot) {
      // Faults wait until the end: the headers of a structured event do not count.
      fault ??= takeOdd(header, raw, value, upstream);
      if (slot !== dataSlot || fault !== undefined) continue;
    }
    let first = true;
    switch (slot) {
      case specversionSlot:
        first = specversion === undefined;
        specversion ??= value;
        break;
      case idSlot:
        if (fields.id === '') fields.id = value ?? '';
        else first = false;
        if (upstream && value === '') fault ??= missingAttribute('id', '');
        break;
      case sourceSlot:
        if (fields.source === '') fields.source = value ?? '';
        else first = false;
        break;
      case typeSlot:
        if (fields.type === '') fields.type = value ?? '';
        else first = false;
        break;
      case subjectSlot:
        first = fields.subject === undefined;
        fields.subject ??= value;
        break;
      case timeSlot:
        first = fields.time === undefined;
        fields.time ??= value;
        break;
      case dataschemaSlot:
        first = fields.dataschema === undefined;
        fields.dataschema ??= value;
        break;
      default:
        if (extensions === undefined) extensions = [header.name, value ?? ''];
        else first = addExtension(extensions, header.name, value ?? '');
        if (extensions.length > 2 * extensionsMax) return tooManyExtensions();
    }
    // Upstream looks at the first one only.
    if (!first && !upstream)
      fault ??= new EventFault('CLOUDEVENTS_ATTRIBUTE_REPEATED', 'must not be repeated', header.name, value);
  }
  if (extensions !== undefined) fields.extensions = extensions;
  return specversion === undefined ? notAnEvent() : (fault ?? checkVersion(specversion, upstream) ?? 'binary');
}

/** A header that is wrong in itself, in the specification's eyes or in upstream's. */
function takeOdd(header: HeaderName, raw: string, value: string | undefined, upstream: boolean): EventFault | undefined {
  const { slot, name } = header;
  if (slot === badNameSlot) return badName(name);
  if (slot === datacontenttypeSlot) return upstream ? badName(name) : undefined;
  if (slot === dataSlot && !upstream) return badName(name);
  return value === undefined ? new EventFault('CLOUDEVENTS_ENCODING', 'is not UTF-8', name, raw) : undefined;
}

/** False when there is one of that name already. */
function addExtension(extensions: (string | AttributeValue)[], name: string, value: string): boolean {
  for (let i = 0; i < extensions.length; i += 2) if (extensions[i] === name) return false;
  extensions.push(name, value);
  return true;
}

function notAnEvent(): EventFault {
  return new EventFault(
    'CLOUDEVENTS_NOT_AN_EVENT',
    'the message has neither a ce-specversion header nor a CloudEvents content type',
  );
}

function checkVersion(specversion: string, upstream: boolean): EventFault | undefined {
  if (specversion === '1.0') return undefined;
  if (upstream && specversion === '0.3') {
    fields.specversion = '0.3';
    return undefined;
  }
  if (specversion === '') return missingAttribute('specversion', '');
  return new EventFault('CLOUDEVENTS_SPECVERSION', upstream ? 'must be 1.0 or 0.3' : 'must be 1.0', 'specversion', specversion);
}
