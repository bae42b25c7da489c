import { isHexDigit, isTimestamp, isUriReference } from './attribute-rules.ts';

// How Knative's ingress, channel and filter (the Go SDK and Go's net/url, time and mime) read attribute values: what they accept,
// and what they write on. `undefined` stands for refused.

const plainUri = /^(?:[a-z][a-z0-9+.-]*:(?!\/\/)|[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9.-]+(?=[/?#]|$)|(?!\/\/)[^:]*$|\/(?!\/))/;

/** A URI-reference as net/url parses it and writes it again: blanks and the like escaped, the scheme in lower case. */
export function upstreamUri(text: string): string | undefined {
  // An absolute path is what most sources are.
  if (text.charCodeAt(0) === 0x2f && text.charCodeAt(1) !== 0x2f && isUriReference(text) && !text.endsWith('#')) return text;
  return isUriReference(text) && plainUri.test(text) && !text.endsWith('#') ? text : rewriteUri(text);
}

function rewriteUri(text: string): string | undefined {
  if (hasControlCharacter(text)) return undefined;
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  let rest = hash < 0 ? text : text.slice(0, hash);
  if (!hasOnlyEscapes(fragment)) return undefined;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1];
  if (scheme === undefined ? rest.startsWith(':') : false) return undefined;
  if (scheme !== undefined) rest = rest.slice(scheme.length + 1);
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark);
  const hierarchy = mark < 0 ? rest : rest.slice(0, mark);
  const body = rewriteHierarchy(hierarchy, scheme !== undefined);
  if (body === undefined) return undefined;
  const prefix = scheme === undefined ? '' : `${scheme.toLowerCase()}:`;
  return `${prefix}${body}${query}${fragment === '' ? '' : `#${escapeUnlessValid(fragment)}`}`;
}

function rewriteHierarchy(hierarchy: string, hasScheme: boolean): string | undefined {
  // A scheme without a slash behind it makes an opaque URI, which is kept as it is.
  if (hasScheme && !hierarchy.startsWith('/')) return hierarchy;
  if (!hasScheme && (hierarchy.split('/', 1)[0] ?? '').includes(':')) return undefined;
  if (!hierarchy.startsWith('//') || (!hasScheme && hierarchy.startsWith('///'))) {
    return hasOnlyEscapes(hierarchy) ? escapeUnlessValid(hierarchy) : undefined;
  }
  const pathStart = hierarchy.indexOf('/', 2);
  const authority = pathStart < 0 ? hierarchy.slice(2) : hierarchy.slice(2, pathStart);
  const path = pathStart < 0 ? '' : hierarchy.slice(pathStart);
  if (!isAuthority(authority) || !hasOnlyEscapes(path)) return undefined;
  if (authority === '' && path === '') return '';
  const at = authority.lastIndexOf('@');
  return `//${authority.slice(0, Math.max(at, 0)).replaceAll('@', '%40')}${authority.slice(Math.max(at, 0))}${escapeUnlessValid(path)}`;
}

/** User information, then a name, an IPv4 address or an IPv6 one in brackets, then a port in digits or empty. */
function isAuthority(authority: string): boolean {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (!/^(?:\[[^[\]]*\]|[^:[\]]*)(?::[0-9]*)?$/.test(host)) return false;
  return (
    !/[ "<>\\^`{|}]/.test(host) && /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, authority.length - host.length))
  );
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}

function hasOnlyEscapes(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    if (!isHexDigit(text.charCodeAt(at + 1)) || !isHexDigit(text.charCodeAt(at + 2))) return false;
  }
  return true;
}

/** Kept when every character may stand in a URI, otherwise unescaped and escaped anew as a whole. */
function escapeUnlessValid(text: string): string {
  if (text === '' || (isUriReference(text) && !text.includes('#'))) return text;
  const bytes = Buffer.from(
    text.replaceAll(/%[0-9A-Fa-f]{2}|[^%]+/g, (part) =>
      part.startsWith('%') ? String.fromCharCode(parseInt(part.slice(1), 16)) : Buffer.from(part, 'utf8').toString('latin1'),
    ),
    'latin1',
  );
  let escaped = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

const goTime = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

/** A time as Go parses RFC 3339 and writes it in UTC, '' for the zero time, which stands for none. */
export function upstreamTime(text: string): string | undefined {
  if (
    text.length === 20 &&
    text.charCodeAt(19) === 0x5a &&
    text.charCodeAt(10) === 0x54 &&
    isTimestamp(text) &&
    !text.startsWith('60', 17)
  ) {
    return text === zeroTime ? '' : text;
  }
  const match = goTime.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  const zoneHour = zone === 'Z' ? 0 : Number(zone.slice(1, 3));
  const zoneMinute = zone === 'Z' ? 0 : Number(zone.slice(4, 6));
  // A day that exists, no leap second; a zone may be a whole day away.
  if (!isTimestamp(`${year}-${month}-${day}T${hour.padStart(2, '0')}:${minute}:${second}Z`) || second === '60') return undefined;
  if (zoneHour > 24 || zoneMinute > 60) return undefined;
  const offset = (zone.startsWith('-') ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  const date = new Date(0);
  // Not Date.UTC, which takes years below 100 for years of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  const nanoseconds = fraction.slice(0, 9).replace(/0+$/, '');
  const fullYear = date.getUTCFullYear();
  const yearText = `${fullYear < 0 ? '-' : ''}${String(Math.abs(fullYear)).padStart(4, '0')}`;
  const rest = date
    .toISOString()
    .replace(/^[+-]?\d+/, '')
    .slice(0, 15);
  const utc = `${yearText}${rest}${nanoseconds === '' ? '' : `.${nanoseconds}`}Z`;
  return utc === zeroTime ? '' : utc;
}

const zeroTime = '0001-01-01T00:00:00Z';

const tokenText = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const parameter = `;\\s*${tokenText}\\s*=\\s*(?:${tokenText}|"(?:[^"\\\\]|\\\\.)*")\\s*`;
const parameters = new RegExp(`;\\s*(${tokenText})\\s*=\\s*(${tokenText}|"(?:[^"\\\\]|\\\\.)*")`, 'gs');
const mediaTypeLengthMax = 1_024;
const mediaType = new RegExp(`^\\s*${tokenText}(?:/${tokenText})?\\s*(?:${parameter})*;?\\s*$`, 's');

/** A media type with parameters as Go's mime package takes it: a parameter must not come twice with different values. */
export function isMediaType(text: string): boolean {
  if (text === 'application/json') return true;
  if (text.length > mediaTypeLengthMax || !mediaType.test(text)) return false;
  const seen = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(parameters)) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined && other !== value) return false;
    seen.set(name.toLowerCase(), value);
  }
  return true;
}
