import { isBase64 } from './attribute-rules.ts';
import { invalidAttribute, tooManyExtensions } from './decode-fields.ts';
import { extensionsMax } from './decode-options.ts';
import { EventFault } from './event-fault.ts';
import type { AttributeValue, EventFields } from './event-message.ts';
import { upstreamTime, upstreamUri } from './upstream-rules.ts';

// The JSON format as Knative's Go SDK reads it: null and '' are absent, names of extensions may have capitals, fractions are cut
// off numbers, and data must be a string unless the content type is exactly JSON.

/** Fills `fields` from an object of the JSON format; what is required is checked later, by `checkRequired`. */
export function readJsonUpstream(object: object, fields: EventFields): EventFault | undefined {
  const extensions = new Map<string, AttributeValue>();
  const members = new Map<string, unknown>(Object.entries(object));
  const specversion = members.get('specversion');
  if (specversion !== '1.0' && specversion !== '0.3') {
    return new EventFault('CLOUDEVENTS_SPECVERSION', 'must be 1.0 or 0.3', 'specversion', specversion);
  }
  fields.specversion = specversion;
  let afterVersion = false;
  for (const [name, value] of members) {
    if (name === 'specversion') afterVersion = true;
    if (name === 'specversion' || isDataMember(name, specversion)) continue;
    // An empty content type is none before the version and an invalid one behind it.
    if (name === 'datacontenttype' && afterVersion && (value === '' || value === null)) fields.datacontenttype = '';
    const fault = isTextMember(name, specversion)
      ? readText(name, value, fields)
      : readExtension(name, value, extensions, specversion);
    if (fault !== undefined) return fault;
  }
  if (extensions.size > extensionsMax) return tooManyExtensions();
  if (extensions.size > 0) fields.extensions = [...extensions].flat();
  return readData(members, fields);
}

function isDataMember(name: string, specversion: string): boolean {
  return name === 'data' || name === (specversion === '1.0' ? 'data_base64' : 'datacontentencoding');
}

function isTextMember(name: string, specversion: string): boolean {
  switch (name) {
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
      return true;
    default:
      return specversion === '1.0' && name === 'dataschema';
  }
}

function readText(name: string, value: unknown, fields: EventFields): EventFault | undefined {
  if (value !== null && typeof value !== 'string') return invalidAttribute(name, 'must be a string', value);
  const text = value ?? '';
  switch (name) {
    case 'id':
    case 'type':
      fields[name] = text;
      return undefined;
    case 'source': {
      const uri = text === '' ? undefined : upstreamUri(text);
      if (uri === undefined) return invalidAttribute(name, 'must be a URI-reference', value);
      fields.source = uri;
      return undefined;
    }
    case 'time': {
      const time = text === '' ? '' : upstreamTime(text);
      if (time === undefined) return invalidAttribute(name, 'must be an RFC 3339 time', value);
      fields.time = time === '' ? undefined : time;
      return undefined;
    }
    case 'dataschema':
      fields.dataschema = text === '' ? undefined : upstreamUri(text);
      return undefined;
    default:
      if (text !== '') fields[name === 'subject' ? 'subject' : 'datacontenttype'] = text;
      return undefined;
  }
}

function readExtension(
  name: string,
  value: unknown,
  extensions: Map<string, AttributeValue>,
  specversion: string,
): EventFault | undefined {
  if (!/^[A-Za-z0-9]+$/.test(name) || isOwnName(name.toLowerCase(), specversion)) {
    return new EventFault('CLOUDEVENTS_ATTRIBUTE_NAME', 'must be named by letters and digits only', name);
  }
  const key = name.toLowerCase();
  if (value === null) extensions.delete(key);
  else if (typeof value === 'string' || typeof value === 'boolean') extensions.set(key, value);
  else if (typeof value === 'number' && value >= -0x80000000 && value <= 0x7fffffff) extensions.set(key, Math.trunc(value) | 0);
  else return invalidAttribute(name, 'must be a string, a boolean or a number of 32 bits', value);
  return undefined;
}

/** Names of the specification, which an extension in another spelling would overwrite. */
function isOwnName(lower: string, specversion: string): boolean {
  if (lower === 'dataschema') return specversion === '1.0';
  return ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype'].includes(lower);
}

function readData(members: ReadonlyMap<string, unknown>, fields: EventFields): EventFault | undefined {
  const data = members.get('data');
  const encoding = members.get('datacontentencoding');
  const isEncoded = fields.specversion === '0.3' && encoding !== undefined && encoding !== null && encoding !== '';
  if (isEncoded && encoding !== 'base64') return invalidAttribute('datacontentencoding', 'must be base64', encoding);
  const base64 = isEncoded ? data : fields.specversion === '1.0' ? (members.get('data_base64') ?? undefined) : undefined;
  if (base64 !== undefined) {
    if (typeof base64 !== 'string' || !isBase64(base64)) {
      return new EventFault('CLOUDEVENTS_DATA', 'must be padded standard Base64', isEncoded ? 'data' : 'data_base64', base64);
    }
    if (!isEncoded && data !== undefined)
      return new EventFault('CLOUDEVENTS_DATA', '`data` and `data_base64` exclude each other');
    fields.body = Buffer.from(base64, 'base64');
    return undefined;
  }
  if (data === undefined) return undefined;
  if (isExactlyJson(fields.datacontenttype)) fields.data = data;
  else if (data === null || typeof data === 'string') fields.data = data ?? '';
  else
    return new EventFault(
      'CLOUDEVENTS_DATA',
      `must be a string for the content type ${String(fields.datacontenttype)}`,
      'data',
      data,
    );
  return undefined;
}

function isExactlyJson(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === '') return true;
  const end = contentType.indexOf(';');
  const type = end < 0 ? contentType : contentType.slice(0, end).trim();
  return (
    type === 'application/json' ||
    type === 'text/json' ||
    type === 'application/cloudevents+json' ||
    type === 'application/cloudevents-batch+json'
  );
}
