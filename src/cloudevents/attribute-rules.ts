// What attribute names and values may look like: CloudEvents 1.0 (names, types), RFC 3986 and RFC 3339.

/** The range of the CloudEvents Integer type. */
export const integerMin = -0x80000000;
export const integerMax = 0x7fffffff;

/** Lower-case letters and digits, at least one. Longer than the recommended 20 characters is fine. */
export function isAttributeName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (!((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39))) return false;
  }
  return name.length > 0;
}

/** Names that belong to the specification's own attributes and to the data: no extension may have them. */
export function isReservedName(name: string): boolean {
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
    case 'data':
      return true;
    default:
      return false;
  }
}

const uriCharacters = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=") {
  uriCharacters[character.charCodeAt(0)] = 1;
}
// An escape takes a look at the two characters behind it.
uriCharacters[0x25] = 2;

/** One of 0-9, A-F, a-f. */
export const isHexDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);

/** A URI-reference by its characters: only those of RFC 3986, and every `%` starts an escape. Non-empty. */
export function isUriReference(text: string): boolean {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const kind = code < 128 ? uriCharacters[code] : 0;
    if (kind === 1) continue;
    if (kind !== 2 || i + 2 >= length || !isHexDigit(text.charCodeAt(i + 1)) || !isHexDigit(text.charCodeAt(i + 2))) return false;
    i += 2;
  }
  return length > 0;
}

/** A URI-reference without escapes: a header value that it is needs no decoding. */
export function isPlainUriReference(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || uriCharacters[code] !== 1) return false;
  }
  return text.length > 0;
}

/** A URI with a scheme. */
export function isAbsoluteUri(text: string): boolean {
  let i = 0;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3a) break;
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    if (!letter && (i === 0 || !((code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e)))
      return false;
  }
  return i > 0 && i + 1 < text.length && isUriReference(text);
}

/** Two digits at a position as a number, NaN when they are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * RFC 3339: the calendar date exists, `t` and `z` may be lower case, second 60 is a leap second. NaN never passes a
 * comparison, so a missing digit fails every bound.
 */
export function isTimestamp(text: string): boolean {
  const length = text.length;
  if (length < 20) return false;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || (text.charCodeAt(10) | 0x20) !== 0x74) return false;
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return false;
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return false;
  if (!(twoDigits(text, 11) <= 23 && twoDigits(text, 14) <= 59 && twoDigits(text, 17) <= 60)) return false;
  let at = 19;
  if (text.charCodeAt(at) === 0x2e) {
    const start = ++at;
    while (at < length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
    if (at === start) return false;
  }
  const zone = text.charCodeAt(at);
  if ((zone | 0x20) === 0x7a) return at + 1 === length;
  if (zone !== 0x2b && zone !== 0x2d) return false;
  return at + 6 === length && text.charCodeAt(at + 3) === 0x3a && twoDigits(text, at + 1) <= 23 && twoDigits(text, at + 4) <= 59;
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard Base64 with padding. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && base64.test(text);
}
