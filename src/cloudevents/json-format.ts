import { integerMax, integerMin, isAttributeName, isBase64 } from './attribute-rules.ts';
import { KnativeError } from '../errors.ts';
import {
  badName,
  checkFields,
  checkRequired,
  invalidAttribute,
  missingAttribute,
  noExtensions,
  tooManyExtensions,
  type DecodedFields,
} from './decode-fields.ts';
import { defaultBodyBytesMax, extensionsMax, jsonDepthMax, type DecodeOptions } from './decode-options.ts';
import { isJsonData, stringifyData } from './event-data.ts';
import { EventFault } from './event-fault.ts';
import { EventMessage, type AttributeValue } from './event-message.ts';
import { decodeUtf8 } from './header-value.ts';
import { charsetOf, isJsonContentType, isTextContentType } from './media-type.ts';
import { readJsonUpstream } from './upstream-json.ts';

/** One event in the JSON format (`application/cloudevents+json`). */
export function decodeStructured(bytes: Uint8Array, options?: DecodeOptions): EventMessage | EventFault {
  const value = parseJson(bytes, options);
  // A nesting takes two bytes at least, so that short messages need no look at the depth.
  return value instanceof EventFault ? value : eventOfValue(value, options, bytes.length > 2 * jsonDepthMax);
}

/** Events in the JSON batch format (`application/cloudevents-batch+json`): all of them, or the first fault with its index. */
export function decodeBatch(bytes: Uint8Array, options?: DecodeOptions): EventMessage[] | EventFault {
  const value = parseJson(bytes, options);
  if (value instanceof EventFault) return value;
  if (!Array.isArray(value)) return new EventFault('CLOUDEVENTS_JSON', 'a batch must be a JSON array');
  const events: EventMessage[] = [];
  for (let i = 0; i < value.length; i++) {
    const event = eventOfValue(value[i], options, bytes.length > 2 * jsonDepthMax);
    if (event instanceof EventFault) return event.at(i);
    events.push(event);
  }
  return events;
}

/** One event from a parsed JSON object of the JSON format. */
export function eventOfJson(value: unknown, options?: DecodeOptions): EventMessage | EventFault {
  return eventOfValue(value, options, true);
}

function eventOfValue(value: unknown, options: DecodeOptions | undefined, canBeDeep: boolean): EventMessage | EventFault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new EventFault('CLOUDEVENTS_JSON', 'an event must be a JSON object');
  }
  const fields: DecodedFields = {
    specversion: '1.0',
    id: '',
    source: '',
    type: '',
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: noExtensions,
    body: undefined,
    data: undefined,
  };
  const fault =
    options?.as === 'upstream' ? (readJsonUpstream(value, fields) ?? checkRequired(fields, options)) : readJson(value, fields);
  if (fault !== undefined) return fault;
  if (canBeDeep && isDeeperThan(fields.data, jsonDepthMax)) {
    return new EventFault('CLOUDEVENTS_TOO_DEEP', `nests deeper than ${jsonDepthMax} levels`, 'data');
  }
  return new EventMessage(fields);
}

function parseJson(bytes: Uint8Array, options: DecodeOptions | undefined): unknown {
  const bytesMax = options?.bodyBytesMax ?? defaultBodyBytesMax;
  if (bytes.length > bytesMax) return new EventFault('CLOUDEVENTS_TOO_LARGE', `the message has more than ${bytesMax} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) return new EventFault('CLOUDEVENTS_ENCODING', 'the message is not UTF-8');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return new EventFault(
      'CLOUDEVENTS_JSON',
      `the message is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** True when a JSON value nests deeper than `depthMax`. Costs by the values in it, and stops at the limit. */
function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depthMax === 0) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (isDeeperThan(value[i], depthMax - 1)) return true;
    return false;
  }
  for (const name in value) if (isDeeperThan(value[name as keyof typeof value], depthMax - 1)) return true;
  return false;
}

/** Reads an object of the JSON format into `fields`. */
function readJson(object: object, fields: DecodedFields): EventFault | undefined {
  let extensions: (string | AttributeValue)[] | undefined;
  let specversion: unknown;
  let base64: unknown;
  for (const name in object) {
    const value: unknown = object[name as keyof typeof object];
    if (name === 'data') {
      fields.data = value;
      continue;
    }
    // JSON null stands for an attribute that is not there.
    if (value === null) continue;
    switch (name) {
      case 'specversion':
        specversion = value;
        break;
      case 'id':
        if (typeof value !== 'string') return missingAttribute(name, value);
        fields.id = value;
        break;
      case 'source':
        if (typeof value !== 'string') return missingAttribute(name, value);
        fields.source = value;
        break;
      case 'type':
        if (typeof value !== 'string') return missingAttribute(name, value);
        fields.type = value;
        break;
      case 'subject':
        if (typeof value !== 'string') return invalidAttribute(name, 'must be a string', value);
        fields.subject = value;
        break;
      case 'time':
        if (typeof value !== 'string') return invalidAttribute(name, 'must be a string', value);
        fields.time = value;
        break;
      case 'datacontenttype':
        if (typeof value !== 'string') return invalidAttribute(name, 'must be a string', value);
        fields.datacontenttype = value;
        break;
      case 'dataschema':
        if (typeof value !== 'string') return invalidAttribute(name, 'must be a string', value);
        fields.dataschema = value;
        break;
      case 'data_base64':
        base64 = value;
        break;
      default:
        if (!isExtensionValue(value) || !isAttributeName(name)) return extensionFault(name, value);
        // `-0 + 0` is 0: CloudEvents has one zero.
        if (extensions === undefined) extensions = [name, typeof value === 'number' ? value + 0 : value];
        else extensions.push(name, typeof value === 'number' ? value + 0 : value);
    }
  }
  const fault = checkVersion(specversion) ?? checkFields(fields) ?? takeBase64(base64, fields);
  if (fault !== undefined) return fault;
  if (extensions !== undefined) {
    if (extensions.length > 2 * extensionsMax) return tooManyExtensions();
    fields.extensions = extensions;
  }
  return undefined;
}

function isExtensionValue(value: unknown): value is string | number | boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  return typeof value === 'number' && Number.isInteger(value) && value >= integerMin && value <= integerMax;
}

function extensionFault(name: string, value: unknown): EventFault {
  if (!isAttributeName(name)) return badName(name);
  return invalidAttribute(name, 'must be a string, a boolean or a whole number of 32 bits', value);
}

function checkVersion(specversion: unknown): EventFault | undefined {
  if (specversion === '1.0') return undefined;
  if (typeof specversion !== 'string' || specversion === '') return missingAttribute('specversion', specversion);
  return new EventFault('CLOUDEVENTS_SPECVERSION', 'must be 1.0', 'specversion', specversion);
}

function takeBase64(base64: unknown, fields: DecodedFields): EventFault | undefined {
  if (base64 === undefined) return undefined;
  if (typeof base64 !== 'string' || !isBase64(base64)) {
    return new EventFault('CLOUDEVENTS_DATA', 'must be padded standard Base64', 'data_base64', base64);
  }
  if (fields.data !== undefined && fields.data !== null)
    return new EventFault('CLOUDEVENTS_DATA', '`data` and `data_base64` exclude each other');
  fields.data = undefined;
  fields.body = Buffer.from(base64, 'base64');
  return undefined;
}

/** The event as an object of the JSON format, data as a value. */
export function eventToJson(event: EventMessage): Record<string, unknown> {
  const object = attributesToJson(event);
  if (event.hasValue) object['data'] = event.data();
  else addBytes(object, event);
  return object;
}

function attributesToJson(event: EventMessage): Record<string, unknown> {
  const object: Record<string, unknown> = {
    specversion: event.specversion,
    id: event.id,
    source: event.source,
    type: event.type,
  };
  if (event.subject !== undefined) object['subject'] = event.subject;
  if (event.time !== undefined) object['time'] = event.time;
  if (event.datacontenttype !== undefined) object['datacontenttype'] = event.datacontenttype;
  if (event.dataschema !== undefined) object['dataschema'] = event.dataschema;
  const extensions = event.extensions;
  for (let i = 0; i < extensions.length; i += 2) {
    const value = extensions[i + 1];
    object[String(extensions[i])] = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  }
  return object;
}

/** Adds data that are bytes: the JSON value or the text that they are by their content type, otherwise Base64. */
function addBytes(object: Record<string, unknown>, event: EventMessage): void {
  const bytes = event.body;
  if (bytes === undefined) return;
  if (isEmbeddable(event)) {
    object['data'] = event.data();
    return;
  }
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  if (event.specversion === '0.3') {
    object['datacontentencoding'] = 'base64';
    object['data'] = base64;
  } else object['data_base64'] = base64;
}

/** True when bytes can go in as a value: JSON that parses, and UTF-8 text that says so. */
function isEmbeddable(event: EventMessage): boolean {
  const contentType = event.datacontenttype;
  if (contentType === undefined) return false;
  if (!isJsonContentType(contentType) && !(isTextContentType(contentType) && isUtf8(charsetOf(contentType)))) return false;
  try {
    event.data();
    return true;
  } catch (error) {
    if (KnativeError.is(error)) return false;
    throw error;
  }
}

function isUtf8(charset: string): boolean {
  return charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}

/**
 * The event in the JSON format, as text. JSON that came as bytes is put in as it was written, once it is known to parse: a number
 * that JavaScript cannot hold stays what it is.
 */
export function textOfEvent(event: EventMessage): string {
  const { body, datacontenttype } = event.hasValue ? noData : event;
  if (body === undefined || datacontenttype === undefined || !isJsonContentType(datacontenttype) || !isEmbeddable(event)) {
    return stringifyData(eventToJson(event));
  }
  return `${stringifyData(attributesToJson(event)).slice(0, -1)},"data":${decodeUtf8(body) ?? 'null'}}`;
}

const noData = { body: undefined, datacontenttype: undefined };

/** The event in the JSON format, as bytes. */
export function encodeJson(event: EventMessage): Uint8Array {
  return Buffer.from(textOfEvent(event), 'utf8');
}

/** True when an event without content type has data that a receiver takes for JSON. */
export function impliesJson(event: EventMessage): boolean {
  return event.hasValue && isJsonData(event.datacontenttype);
}
