import { isAbsoluteUri, isTimestamp, isUriReference } from './attribute-rules.ts';
import { extensionsMax, type DecodeOptions } from './decode-options.ts';
import { EventFault } from './event-fault.ts';
import type { AttributeValue, EventFields } from './event-message.ts';
import { isMediaType, upstreamTime, upstreamUri } from './upstream-rules.ts';

/** What a decoder reads before it is judged: all members present, so that every event passes through the same shape. */
export interface DecodedFields extends EventFields {
  specversion: '1.0' | '0.3';
  subject: string | undefined;
  time: string | undefined;
  datacontenttype: string | undefined;
  dataschema: string | undefined;
  extensions: readonly (string | AttributeValue)[];
  body: Uint8Array | undefined;
  data: unknown;
}

export const noExtensions: readonly (string | AttributeValue)[] = [];

export function invalidAttribute(name: string, rule: string, value: unknown): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_VALUE', rule, name, value);
}

export function missingAttribute(name: string, value: unknown): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_MISSING', 'must be a non-empty string', name, value);
}

export function badName(name: string): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_NAME', 'must be named by lower-case letters and digits only', name);
}

export function tooManyExtensions(): EventFault {
  return new EventFault('CLOUDEVENTS_TOO_LARGE', `the event has more than ${extensionsMax} extensions`);
}

/** The specification's rules on the values of an event. */
export function checkFields(fields: DecodedFields): EventFault | undefined {
  if (fields.id === '') return missingAttribute('id', '');
  if (fields.source === '') return missingAttribute('source', '');
  if (fields.type === '') return missingAttribute('type', '');
  if (!isUriReference(fields.source)) return invalidAttribute('source', 'must be a URI-reference', fields.source);
  if (fields.subject === '') return invalidAttribute('subject', 'must be a non-empty string', '');
  if (fields.time !== undefined && !isTimestamp(fields.time)) {
    return invalidAttribute('time', 'must be an RFC 3339 time', fields.time);
  }
  if (fields.dataschema !== undefined && !isAbsoluteUri(fields.dataschema)) {
    return invalidAttribute('dataschema', 'must be an absolute URI', fields.dataschema);
  }
  return undefined;
}

/** Upstream's rules on text that came in headers; rewrites what upstream rewrites. */
export function applyUpstreamRules(fields: DecodedFields): EventFault | undefined {
  if (fields.source !== '') {
    const source = upstreamUri(fields.source);
    if (source === undefined) return invalidAttribute('source', 'must be a URI-reference', fields.source);
    fields.source = source;
  }
  if (fields.subject === '') fields.subject = undefined;
  if (fields.time !== undefined) {
    const time = upstreamTime(fields.time);
    if (time === undefined) return invalidAttribute('time', 'must be an RFC 3339 time', fields.time);
    fields.time = time === '' ? undefined : time;
  }
  if (fields.dataschema === '') fields.dataschema = undefined;
  if (fields.dataschema !== undefined) {
    const dataschema = upstreamUri(fields.dataschema);
    if (dataschema === undefined) return invalidAttribute('dataschema', 'must be a URI', fields.dataschema);
    fields.dataschema = dataschema;
  }
  return undefined;
}

/** Upstream's validation of a decoded event, which its filter leaves out. */
export function checkRequired(fields: DecodedFields, options: DecodeOptions): EventFault | undefined {
  if (options.requireAttributes === false) return undefined;
  if (isBlank(fields.id)) return missingAttribute('id', fields.id);
  if (isBlank(fields.source)) return missingAttribute('source', fields.source);
  if (isBlank(fields.type)) return missingAttribute('type', fields.type);
  if (fields.subject !== undefined && isBlank(fields.subject)) {
    return invalidAttribute('subject', 'must be a non-empty string', fields.subject);
  }
  if (fields.datacontenttype !== undefined && !isMediaType(fields.datacontenttype)) {
    return invalidAttribute('datacontenttype', 'must be a media type', fields.datacontenttype);
  }
  if (fields.dataschema !== undefined && fields.specversion === '1.0' && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(fields.dataschema)) {
    return invalidAttribute('dataschema', 'must be an absolute URI', fields.dataschema);
  }
  return undefined;
}

function isBlank(text: string): boolean {
  // A visible first character settles it without making a string.
  return !(text.charCodeAt(0) > 0x20 && text.charCodeAt(0) < 0x7f) && text.trim() === '';
}
