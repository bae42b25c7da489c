// Text as CESQL sees it: characters are code points; the reference engine counts UTF-8 bytes.

const surrogate = /[\ud800-\udfff]/;

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

export function lengthOf(text: string): number {
  let length = text.length;
  if (!surrogate.test(text)) return length;
  for (let i = 0; i < text.length; i += sizeAt(text, i)) if (sizeAt(text, i) === 2) length--;
  return length;
}

/** Code units of the character at a position. */
function sizeAt(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

/** `text.slice` counted in code points. Looks at no more of the text than it takes. */
export function sliceOf(text: string, start: number, end: number): string {
  let from = 0;
  let count = 0;
  for (; count < start && from < text.length; count++) from += sizeAt(text, from);
  let to = from;
  for (; count < end && to < text.length; count++) to += sizeAt(text, to);
  return text.slice(from, to);
}

export function byteLengthOf(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text, 'utf8');
}

/** `text.slice` counted in UTF-8 bytes; a character that is cut becomes one replacement character per byte. */
export function byteSliceOf(text: string, start: number, end: number): string {
  if (isAscii(text)) return text.slice(start, end);
  const bytes = Buffer.from(text, 'utf8').subarray(start, end);
  let result = '';
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0;
    const size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (size === 0 || at + size > bytes.length) {
      result += '\ufffd';
      at++;
    } else {
      result += bytes.toString('utf8', at, at + size);
      at += size;
    }
  }
  return result;
}

/** Case mapping one to one, as the specification's other implementations do: what has no single counterpart stays. */
export function upperCase(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapCharacters(text, upperCharacter);
}

export function lowerCase(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapCharacters(text, lowerCharacter);
}

function mapCharacters(text: string, map: (character: string) => string): string {
  let result = '';
  for (const character of text) result += map(character);
  return result;
}

function upperCharacter(character: string): string {
  const upper = character.toUpperCase();
  if (lengthOf(upper) === 1) return upper;
  // Greek letters with iota below have a counterpart of one character, the title-case form.
  const code = character.charCodeAt(0);
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCharCode(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCharCode(code + 9);
  return character;
}

function lowerCharacter(character: string): string {
  const lower = character.toLowerCase();
  // Only the dotted capital I has two; the first one is the letter.
  return lengthOf(lower) === 1 ? lower : lower.charAt(0);
}

const blanks = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Cuts Unicode white space at both ends; the zero-width no-break space is none. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 0x80 ? code === 0x20 || (code >= 9 && code <= 13) : blanks.test(text.charAt(at));
}
