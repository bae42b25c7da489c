import { CesqlFault } from './cesql-fault.ts';

// Token kinds. Numbers, because the parser switches on them for every token; typed wide, because the current kind changes behind
// the compiler's back.
export const endToken: number = 0;
export const wordToken: number = 1;
/** Letters and digits mixed. */
export const wordWithDigitsToken: number = 2;
/** Letters and underscores: only a function can be called so. */
export const functionNameToken: number = 3;
export const integerToken: number = 4;
export const stringToken: number = 5;
export const openToken: number = 6;
export const closeToken: number = 7;
export const commaToken: number = 8;
export const starToken: number = 9;
export const slashToken: number = 10;
export const percentToken: number = 11;
export const plusToken: number = 12;
export const minusToken: number = 13;
export const equalToken: number = 14;
export const notEqualToken: number = 15;
export const lessToken: number = 16;
export const lessOrEqualToken: number = 17;
export const greaterToken: number = 18;
export const greaterOrEqualToken: number = 19;
export const andToken: number = 20;
export const orToken: number = 21;
export const xorToken: number = 22;
export const notToken: number = 23;
export const likeToken: number = 24;
export const existsToken: number = 25;
export const inToken: number = 26;
export const trueToken: number = 27;
export const falseToken: number = 28;

// Classes of ASCII characters.
const otherClass = 0;
const letterClass = 1;
const digitClass = 2;
const blankClass = 3;
const underscoreClass = 4;
const classes = new Uint8Array(128);
for (let code = 0x41; code <= 0x5a; code++) classes[code] = classes[code + 0x20] = letterClass;
for (let code = 0x30; code <= 0x39; code++) classes[code] = digitClass;
for (const blank of [0x20, 0x09, 0x0a, 0x0d]) classes[blank] = blankClass;
classes[0x5f] = underscoreClass;

function classAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (classes[code] ?? otherClass) : otherClass;
}

/** Cuts an expression into tokens, one at a time. */
export class Lexer {
  readonly text: string;
  /** Kind of the current token. */
  kind: number = endToken;
  start = 0;
  end = 0;
  /** Where the token before the current one ends. */
  previousEnd = 0;
  /** Set instead of the current token when the characters make none. */
  fault: CesqlFault | undefined;
  readonly #skipsUnknown: boolean;
  /** Most expressions have no backslash, which makes their strings easy. */
  readonly #firstBackslash: number;

  /** `skipsUnknown`: jump over characters that start no token, as the reference engine does. */
  constructor(text: string, skipsUnknown: boolean) {
    this.text = text;
    this.#skipsUnknown = skipsUnknown;
    this.#firstBackslash = text.indexOf('\\');
  }

  /** Moves to the next token. */
  next(): void {
    const text = this.text;
    let at = this.end;
    this.previousEnd = at;
    for (;;) {
      let kindOfCharacter = classAt(text, at);
      while (kindOfCharacter === blankClass) kindOfCharacter = classAt(text, ++at);
      if (at >= text.length) {
        this.start = this.end = text.length;
        this.kind = endToken;
        return;
      }
      this.start = at;
      let kind: number;
      if (kindOfCharacter === letterClass) kind = this.#scanWord(text, at);
      else kind = kindOfCharacter === digitClass ? this.#scanNumber(text, at) : this.#scanSymbol(text, at);
      if (kind >= 0) {
        this.kind = kind;
        return;
      }
      if (!this.#skipsUnknown || this.fault !== undefined) {
        this.kind = endToken;
        this.end = text.length;
        this.fault ??= new CesqlFault('parse', `unexpected character ${JSON.stringify(text.charAt(at))}`, at, at + 1);
        return;
      }
      // The reference engine gives up a `!` together with the character that is not the `=` behind it.
      at += text.charCodeAt(at) === 0x21 ? 2 : 1;
    }
  }

  // Each of these scans the token at a position, sets `end` and gives its kind; -1 when there is none.

  #scanWord(text: string, at: number): number {
    let end = at + 1;
    let next = classAt(text, end);
    while (next === letterClass) next = classAt(text, ++end);
    // The longest token wins: letters and digits, or letters and underscores.
    if (next === digitClass) {
      while (next === letterClass || next === digitClass) next = classAt(text, ++end);
      this.end = end;
      return wordWithDigitsToken;
    }
    if (next === underscoreClass) {
      while (next === letterClass || next === underscoreClass) next = classAt(text, ++end);
      this.end = end;
      return functionNameToken;
    }
    this.end = end;
    return keywordAt(text, at, end - at);
  }

  #scanNumber(text: string, at: number): number {
    let end = at + 1;
    while (classAt(text, end) === digitClass) end++;
    if (classAt(text, end) === letterClass) {
      do end++;
      while (classAt(text, end) === letterClass || classAt(text, end) === digitClass);
      this.end = end;
      return wordWithDigitsToken;
    }
    this.end = end;
    return integerToken;
  }

  #scanSymbol(text: string, at: number): number {
    this.end = at + 1;
    const next = text.charCodeAt(at + 1);
    switch (text.charCodeAt(at)) {
      case 0x22:
      case 0x27:
        return this.#scanString(text, at);
      case 0x28:
        return openToken;
      case 0x29:
        return closeToken;
      case 0x2c:
        return commaToken;
      case 0x2a:
        return starToken;
      case 0x2f:
        return slashToken;
      case 0x25:
        return percentToken;
      case 0x2b:
        return this.#scanSign(text, at, plusToken);
      case 0x2d:
        return this.#scanSign(text, at, minusToken);
      case 0x3d:
        return equalToken;
      case 0x21:
        return next === 0x3d ? this.#two(at, notEqualToken) : -1;
      case 0x3c:
        if (next === 0x3d) return this.#two(at, lessOrEqualToken);
        return next === 0x3e ? this.#two(at, notEqualToken) : lessToken;
      case 0x3e:
        return next === 0x3d ? this.#two(at, greaterOrEqualToken) : greaterToken;
      default:
        return -1;
    }
  }

  #two(at: number, kind: number): number {
    this.end = at + 2;
    return kind;
  }

  /** A sign that touches digits belongs to the literal. */
  #scanSign(text: string, at: number, kind: number): number {
    let end = at + 1;
    while (classAt(text, end) === digitClass) end++;
    this.end = end;
    return end > at + 1 ? integerToken : kind;
  }

  #scanString(text: string, at: number): number {
    const quote = text.charAt(at);
    let close = text.indexOf(quote, at + 1);
    if (this.#firstBackslash >= 0 && this.#firstBackslash < close) close = closeOfEscaped(text, at, quote.charCodeAt(0));
    // A doubled quote is part of the string (and stays doubled).
    while (close >= 0 && text.charAt(close + 1) === quote) {
      close = this.#firstBackslash < 0 ? text.indexOf(quote, close + 2) : closeOfEscaped(text, close + 1, quote.charCodeAt(0));
    }
    if (close < 0) {
      this.fault = new CesqlFault('parse', 'the string is not closed', at, text.length);
      return -1;
    }
    this.end = close + 1;
    return stringToken;
  }

  /** The value of the current string token: only the quote that encloses it can be escaped, every other backslash stays. */
  stringValue(): string {
    const inner = this.text.slice(this.start + 1, this.end - 1);
    if (this.#firstBackslash < 0 || !inner.includes('\\')) return inner;
    const quote = this.text.charAt(this.start);
    return inner.replaceAll(`\\${quote}`, quote);
  }
}

/** Where the next quote is that no backslash escapes, -1 when there is none. */
function closeOfEscaped(text: string, at: number, quote: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === quote) return end;
    if (code === 0x5c) end++;
  }
  return -1;
}

/** The keyword that the letters at a position spell in whatever case, or `wordToken`. */
function keywordAt(text: string, at: number, length: number): number {
  if (length < 2 || length > 6) return wordToken;
  switch (length) {
    case 2:
      return spells(text, at, 'or') ? orToken : spells(text, at, 'in') ? inToken : wordToken;
    case 3:
      if (spells(text, at, 'and')) return andToken;
      return spells(text, at, 'not') ? notToken : spells(text, at, 'xor') ? xorToken : wordToken;
    case 4:
      return spells(text, at, 'like') ? likeToken : spells(text, at, 'true') ? trueToken : wordToken;
    case 5:
      return spells(text, at, 'false') ? falseToken : wordToken;
    default:
      return spells(text, at, 'exists') ? existsToken : wordToken;
  }
}

function spells(text: string, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) if ((text.charCodeAt(at + i) | 0x20) !== lower.charCodeAt(i)) return false;
  return true;
}
