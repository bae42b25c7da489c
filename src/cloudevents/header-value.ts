import { isHexDigit } from './attribute-rules.ts';

// Header values of the HTTP binding: percent-encoded UTF-8, and what older and other peers send instead (quoted strings, raw UTF-8).

const utf8Strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes, or `undefined` when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  // The lenient decoder is much faster; only its replacement character makes a second look necessary.
  if (!text.includes('\ufffd')) return text;
  try {
    return utf8Strict.decode(bytes);
  } catch {
    return undefined;
  }
}

const notPlain = /[^!#$&-~]/;

/** From this length on a regular expression is faster than a loop over the characters. */
const loopMax = 10;

/** True when the value surely is its own decoding: visible ASCII without `%` and `"`. */
export function isPlainHeaderValue(value: string): boolean {
  const length = value.length;
  if (length > loopMax) return !notPlain.test(value);
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0x25 && code < 0x7f) continue;
    if (code !== 0x21 && code !== 0x23 && code !== 0x24) return false;
  }
  return true;
}

/**
 * The attribute value of a header value as node:http hands it out (bytes as Latin-1): blanks at the ends cut, a quoted string
 * unquoted, escapes decoded once, raw UTF-8 taken as such. A `%` that starts no escape stays. `undefined` when the bytes are not UTF-8.
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (isPlainHeaderValue(value)) return value;
  const text = unquote(trimBlanks(value));
  const escaped = hasEscape(text);
  if (!escaped && isAscii(text)) return text;
  return decodeBytes(text);
}

/** The text of a header value without any decoding but that of its bytes; `undefined` when they are not UTF-8. */
export function decodeRawHeaderValue(value: string): string | undefined {
  const text = trimBlanks(value);
  return isAscii(text) || hasWideCharacter(text) ? text : decodeUtf8(Buffer.from(text, 'latin1'));
}

/** A character above U+00FF cannot come from header bytes: the caller has decoded the text already. */
function hasWideCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return true;
  return false;
}

function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function unquote(value: string): string {
  const last = value.length - 1;
  if (last < 1 || value.charCodeAt(0) !== 0x22 || value.charCodeAt(last) !== 0x22) return value;
  const inner = value.slice(1, last);
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function isEscapeAt(text: string, at: number): boolean {
  return at + 2 < text.length && isHexDigit(text.charCodeAt(at + 1)) && isHexDigit(text.charCodeAt(at + 2));
}

function hasEscape(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) if (isEscapeAt(text, at)) return true;
  return false;
}

function decodeBytes(text: string): string | undefined {
  const source = Buffer.from(text, hasWideCharacter(text) ? 'utf8' : 'latin1');
  const bytes = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    let byte = source[i] ?? 0;
    if (byte === 0x25) {
      const high = hexValue(source[i + 1]);
      const low = hexValue(source[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    bytes[length++] = byte;
  }
  return decodeUtf8(bytes.subarray(0, length));
}

function hexValue(code: number | undefined): number {
  if (code === undefined || !isHexDigit(code)) return -1;
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

const hexDigits = '0123456789ABCDEF';

/** The header value of an attribute value: everything outside printable ASCII, and blank, `"` and `%`, percent-encoded. */
export function encodeHeaderValue(value: string): string {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0x25 && code < 0x7f) continue;
    if (code !== 0x21 && code !== 0x23 && code !== 0x24) return encodeFrom(value, i);
  }
  return value;
}

function encodeFrom(value: string, start: number): string {
  let text = value.slice(0, start);
  // Half of a surrogate pair alone has no UTF-8 form; Buffer writes the replacement character for it.
  for (const byte of Buffer.from(value.slice(start), 'utf8')) {
    const plain = byte >= 0x21 && byte <= 0x7e && byte !== 0x22 && byte !== 0x25;
    text += plain ? String.fromCharCode(byte) : `%${hexDigits[byte >> 4] ?? ''}${hexDigits[byte & 15] ?? ''}`;
  }
  return text;
}

/**
 * The header value as upstream writes it: raw UTF-8, each byte as a Latin-1 character. Only what no header can carry is
 * percent-encoded: control characters, and blanks at the ends.
 */
export function encodeHeaderValueUpstream(value: string): string {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return encodeUpstreamFrom(value);
  }
  return value.startsWith(' ') || value.endsWith(' ') ? encodeUpstreamFrom(value) : value;
}

function encodeUpstreamFrom(value: string): string {
  const bytes = Buffer.from(value, 'utf8');
  let text = '';
  bytes.forEach((byte, at) => {
    const refused = byte < 0x20 || byte === 0x7f || (byte === 0x20 && (at === 0 || at === bytes.length - 1));
    text += refused ? `%${hexDigits[byte >> 4] ?? ''}${hexDigits[byte & 15] ?? ''}` : String.fromCharCode(byte);
  });
  return text;
}
