/**
 * The message that Go's encoding/json gives for text that is not JSON: which character stood where, or that the input ended. '' for
 * text that is JSON.
 */
export function goJsonError(text: string): string {
  const scanner = new Scanner(text);
  scanner.space();
  const problem = scanner.value(0);
  if (problem !== undefined) return problem;
  scanner.space();
  return scanner.atEnd() ? '' : scanner.unexpected('after top-level value');
}

/** What Go calls the type of a JSON text's value. The text must be JSON. */
export function goJsonKind(text: string): 'object' | 'array' | 'string' | 'number' | 'bool' | 'null' {
  const first = text.trimStart()[0] ?? '';
  if (first === '{') return 'object';
  if (first === '[') return 'array';
  if (first === '"') return 'string';
  if (first === 'n') return 'null';
  return first === 't' || first === 'f' ? 'bool' : 'number';
}

// Go stops at 10,000, where the stack would be too small here.
const depthMax = 1_000;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  unexpected(context: string): string {
    if (this.atEnd()) return 'unexpected end of JSON input';
    return `invalid character ${quoteByte(firstByte(this.#text.codePointAt(this.#at) ?? 0))} ${context}`;
  }

  value(depth: number): string | undefined {
    if (depth > depthMax) return 'exceeded max depth';
    const char = this.#text[this.#at] ?? '';
    if (char === '{') return this.#object(depth);
    if (char === '[') return this.#array(depth);
    if (char === '"') return this.#string();
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    for (const literal of ['true', 'false', 'null']) if (literal.startsWith(char) && char !== '') return this.#literal(literal);
    return this.unexpected('looking for beginning of value');
  }

  #object(depth: number): string | undefined {
    this.#at++;
    this.space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return undefined;
    }
    for (;;) {
      this.space();
      if (this.#text[this.#at] !== '"') return this.unexpected('looking for beginning of object key string');
      const key = this.#string();
      if (key !== undefined) return key;
      this.space();
      if (this.#text[this.#at] !== ':') return this.unexpected('after object key');
      this.#at++;
      this.space();
      const value = this.value(depth + 1);
      if (value !== undefined) return value;
      this.space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== '}') return this.unexpected('after object key:value pair');
      this.#at++;
      if (next === '}') return undefined;
    }
  }

  #array(depth: number): string | undefined {
    this.#at++;
    this.space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return undefined;
    }
    for (;;) {
      this.space();
      const value = this.value(depth + 1);
      if (value !== undefined) return value;
      this.space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== ']') return this.unexpected('after array element');
      this.#at++;
      if (next === ']') return undefined;
    }
  }

  #string(): string | undefined {
    this.#at++;
    for (; !this.atEnd(); this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char === '"') {
        this.#at++;
        return undefined;
      }
      if (char < ' ') return this.unexpected('in string literal');
      if (char === '\\') {
        this.#at++;
        const escaped = this.#text[this.#at] ?? '';
        if (escaped === 'u') {
          for (let i = 0; i < 4; i++) {
            this.#at++;
            if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) return this.unexpected('in \\u hexadecimal character escape');
          }
        } else if (!/["\\/bfnrt]/.test(escaped)) return this.unexpected('in string escape code');
      }
    }
    return this.unexpected('');
  }

  #number(): string | undefined {
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else if (!this.#digits()) return this.unexpected('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!this.#digits()) return this.unexpected('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      if (!this.#digits()) return this.unexpected('in exponent of numeric literal');
    }
    return undefined;
  }

  #digits(): boolean {
    const start = this.#at;
    while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#at > start;
  }

  #literal(literal: string): string | undefined {
    for (let i = 1; i < literal.length; i++) {
      this.#at++;
      const expected = literal[i] ?? '';
      if (this.#text[this.#at] !== expected) return this.unexpected(`in literal ${literal} (expecting '${expected}')`);
    }
    this.#at++;
    return undefined;
  }
}

// Go reads bytes, so of a character beyond ASCII it names the first byte of its UTF-8 form.
function firstByte(codePoint: number): number {
  if (codePoint < 0x80) return codePoint;
  if (codePoint < 0x800) return 0xc0 | (codePoint >> 6);
  return codePoint < 0x10000 ? 0xe0 | (codePoint >> 12) : 0xf0 | (codePoint >> 18);
}

const named: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  39: "\\'",
  92: '\\\\',
};

function quoteByte(byte: number): string {
  const printable = (byte >= 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return `'${named[byte] ?? (printable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)}'`;
}
