import {
  applyUpstreamRules,
  badName,
  checkFields,
  checkRequired,
  missingAttribute,
  noExtensions,
  tooManyExtensions,
  type DecodedFields,
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
import { decodeHeaderValue, decodeRawHeaderValue, isPlainHeaderValue } from './header-value.ts';
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
  const event = decodeBinary(rawHeaders, body, options);
  if (typeof event !== 'string') return event;
  if (event === 'structured') return decodeStructured(body ?? noBytes, options);
  if (event === 'batch') return new EventFault('CLOUDEVENTS_FORMAT', 'a batch cannot be taken as one event');
  return new EventFault('CLOUDEVENTS_FORMAT', 'the event format is not supported, only JSON is');
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

/**
 * The event of a message in binary mode, or the other mode that its content type says. One loop over local variables: handing each
 * header to a function that stores it costs a quarter more.
 */
function decodeBinary(
  rawHeaders: readonly string[],
  body: Uint8Array | undefined,
  options: DecodeOptions | undefined,
): EventMessage | EventFault | Exclude<ContentMode, 'binary'> {
  const upstream = options?.as === 'upstream';
  let specversion: string | undefined;
  let id: string | undefined;
  let source: string | undefined;
  let type: string | undefined;
  let subject: string | undefined;
  let time: string | undefined;
  let dataschema: string | undefined;
  let datacontenttype: string | undefined;
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
      if (raw !== '') datacontenttype ??= raw;
      continue;
    }
    if (slot === sourceSlot && source === undefined && isPlainUriReference(raw)) {
      source = raw;
      continue;
    }
    // Bytes that are not UTF-8 are a fault; upstream takes them as they are.
    const value = isPlainHeaderValue(raw) ? raw : upstream ? decodeUpstream(slot, raw) : decodeHeaderValue(raw);
    // Faults wait until the end: the headers of a structured event do not count.
    if (value === undefined || slot >= oddSlot) {
      fault ??= takeOdd(header, raw, value, upstream);
      if (slot !== dataSlot || value === undefined) continue;
    }
    let first = true;
    switch (slot) {
      case specversionSlot:
        first = specversion === undefined;
        specversion ??= value;
        break;
      case idSlot:
        first = id === undefined;
        id ??= value;
        break;
      case sourceSlot:
        first = source === undefined;
        source ??= value;
        break;
      case typeSlot:
        first = type === undefined;
        type ??= value;
        break;
      case subjectSlot:
        first = subject === undefined;
        subject ??= value;
        break;
      case timeSlot:
        first = time === undefined;
        time ??= value;
        break;
      case dataschemaSlot:
        first = dataschema === undefined;
        dataschema ??= value;
        break;
      default:
        if (extensions === undefined) extensions = [header.name, value];
        else first = addExtension(extensions, header.name, value);
        if (extensions.length > 2 * extensionsMax) return tooManyExtensions();
    }
    // Upstream looks at the first one only.
    if (!first && !upstream)
      fault ??= new EventFault('CLOUDEVENTS_ATTRIBUTE_REPEATED', 'must not be repeated', header.name, value);
  }
  if (specversion === undefined) return notAnEvent();
  if (upstream && id === '') fault ??= missingAttribute('id', '');
  fault ??= checkVersion(specversion, upstream) ?? checkSize(body, options);
  if (fault !== undefined) return fault;
  const fields: DecodedFields = {
    specversion: specversion === '0.3' ? '0.3' : '1.0',
    id: id ?? '',
    source: source ?? '',
    type: type ?? '',
    subject,
    time,
    datacontenttype,
    dataschema,
    extensions: extensions ?? noExtensions,
    body: body === undefined || body.length === 0 ? undefined : body,
    data: undefined,
  };
  fault = upstream ? (applyUpstreamRules(fields) ?? checkRequired(fields, options)) : checkFields(fields);
  return fault ?? new EventMessage(fields);
}

function checkSize(body: Uint8Array | undefined, options: DecodeOptions | undefined): EventFault | undefined {
  const bytesMax = options?.bodyBytesMax ?? defaultBodyBytesMax;
  if (body === undefined || body.length <= bytesMax) return undefined;
  return new EventFault('CLOUDEVENTS_TOO_LARGE', `the data have more than ${bytesMax} bytes`);
}

/** URIs keep their escapes: peers on the Go SDK send them as they are, and upstream reads them so. */
function decodeUpstream(slot: number, raw: string): string {
  const isUri = slot === sourceSlot || slot === dataschemaSlot;
  return (isUri ? decodeRawHeaderValue(raw) : decodeHeaderValue(raw)) ?? raw;
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
  if (specversion === '1.0' || (upstream && specversion === '0.3')) return undefined;
  if (specversion === '') return missingAttribute('specversion', '');
  return new EventFault('CLOUDEVENTS_SPECVERSION', upstream ? 'must be 1.0 or 0.3' : 'must be 1.0', 'specversion', specversion);
}
