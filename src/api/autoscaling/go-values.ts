import { parseGoDuration } from '../../duration.ts';

/** Outcome of parsing text the way Go's strconv does: the value, or why it is refused. */
export type Parsed<T> = { readonly value: T } | { readonly error: 'syntax' | 'range' };

const int32Max = 2_147_483_647n;
const int64Max = 9_223_372_036_854_775_807n;

/** `strconv.ParseInt(text, 10, bits)`: an optional sign and decimal digits. Values beyond 2^53 lose precision. */
export function parseGoInt(text: string, bits: 32 | 64): Parsed<number> {
  const digits = /^[+-]?(\d+)/.exec(text)?.[1] ?? '';
  if (digits === '') return { error: 'syntax' };
  // Go gives up at the first digit that is too much, before it sees what follows.
  if (BigInt(digits) >= 1n << BigInt(bits)) return { error: 'range' };
  if (!/^[+-]?\d+$/.test(text)) return { error: 'syntax' };
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  const max = bits === 32 ? int32Max : int64Max;
  return value > max || value < -max - 1n ? { error: 'range' } : { value: Number(value) };
}

/** `strconv.ParseBool`. */
export function parseGoBool(text: string): Parsed<boolean> {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return { value: true };
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return { value: false };
  return { error: 'syntax' };
}

const decimalPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const hexPattern = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i;

/**
 * `strconv.ParseFloat(text, 64)`: decimal and hexadecimal forms, digit underscores, `Inf`, `Infinity` and `NaN` in any case.
 * Overflow is a range error, underflow gives 0.
 */
export function parseGoFloat(text: string): Parsed<number> {
  const special = /^([+-]?)(inf|infinity)$/i.exec(text);
  if (special !== null) return { value: special[1] === '-' ? -Infinity : Infinity };
  if (/^nan$/i.test(text)) return { value: NaN };
  if (text.includes('_') && !underscoresSeparateDigits(text)) return { error: 'syntax' };
  const plain = text.replaceAll('_', '');
  if (decimalPattern.test(plain)) {
    const value = Number(plain);
    return Number.isFinite(value) ? { value } : { error: 'range' };
  }
  return parseHexFloat(plain);
}

// Every underscore stands between two digits; a base prefix counts as a digit.
function underscoresSeparateDigits(text: string): boolean {
  const unsigned = text.replace(/^[+-]/, '');
  const between = /^0x/i.test(unsigned) ? /(?<=[0-9a-fx])_(?=[0-9a-f])/gi : /(?<=\d)_(?=\d)/g;
  return !unsigned.replace(between, '').includes('_');
}

function parseHexFloat(text: string): Parsed<number> {
  const match = hexPattern.exec(text);
  if (match === null) return { error: 'syntax' };
  const digits = `${match[2] ?? ''}${match[3] ?? ''}`;
  if (digits === '') return { error: 'syntax' };
  const exponent = Number(match[4]) - 4 * (match[3] ?? '').length;
  let mantissa = BigInt(`0x${digits}`);
  let shift = 0;
  // 53 significant bits are enough once what is cut off is remembered in the last bit (round half to even needs to know).
  while (mantissa >= 1n << 64n) {
    mantissa = (mantissa >> 1n) | (mantissa & 1n);
    shift++;
  }
  const scaled = scaleByPowerOfTwo(Number(mantissa), exponent + shift);
  if (!Number.isFinite(scaled)) return { error: 'range' };
  return { value: match[1] === '-' ? -scaled : scaled };
}

function scaleByPowerOfTwo(value: number, exponent: number): number {
  let scaled = value;
  let left = Math.max(-2_500, Math.min(2_500, exponent));
  while (left !== 0 && scaled !== 0 && Number.isFinite(scaled)) {
    const step = Math.max(-1_000, Math.min(1_000, left));
    scaled *= 2 ** step;
    left -= step;
  }
  return scaled;
}

/** A float as Go's `%v` prints it: shortest digits, exponent form below 1e-4 and from 1e6 on. */
export function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const exponential = value.toExponential();
  const at = exponential.indexOf('e');
  const exponent = Number(exponential.slice(at + 1));
  if (exponent < -4 || exponent >= 6) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${exponential.slice(0, at)}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  return String(value);
}

/** Below this many milliseconds a duration fits into 64 bits of nanoseconds for certain. */
const surelyFitsMs = 9_223_372_036_854;

/** Milliseconds of a Go duration, cut to the nanosecond; or Go's error text, without a prefix. */
export function parseGoDurationValue(text: string): { readonly ms: number } | { readonly error: string } {
  const ms = parseGoDuration(text);
  if (ms !== undefined && (Math.abs(ms) <= surelyFitsMs || fitsInt64(text))) return { ms: Math.round(ms * 1e6) / 1e6 };
  return { error: durationErrorText(text) };
}

// A number cannot tell the last nanoseconds before the limit apart.
function fitsInt64(text: string): boolean {
  let totalNs = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)\.?(\d*)([^\d.+-]+)/g)) {
    const unitNs = BigInt(Math.round((parseGoDuration(`1${unit}`) ?? 0) * 1e6));
    totalNs += BigInt(whole) * unitNs + (BigInt(fraction) * unitNs) / 10n ** BigInt(fraction.length);
  }
  return totalNs <= (text.startsWith('-') ? int64Max + 1n : int64Max);
}

// Package time quotes byte by byte: what is not printable ASCII becomes `\xhh`.
function quoteForTime(text: string): string {
  const quoted = Array.from(new TextEncoder().encode(text), (byte) => {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') return `\\${char}`;
    return byte < 0x20 || byte >= 0x80 ? `\\x${byte.toString(16).padStart(2, '0')}` : char;
  });
  return `"${quoted.join('')}"`;
}

function durationErrorText(text: string): string {
  const quoted = quoteForTime(text);
  let rest = text.replace(/^[+-]/, '');
  while (rest !== '') {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined || BigInt(/^\d*/.exec(number)?.[0] ?? 0) > 1n << 63n) break;
    const unit = /^[^\d.]+/.exec(rest.slice(number.length))?.[0];
    if (unit === undefined) return `time: missing unit in duration ${quoted}`;
    if (parseGoDuration(`1${unit}`) === undefined) return `time: unknown unit ${quoteForTime(unit)} in duration ${quoted}`;
    rest = rest.slice(number.length + unit.length);
  }
  return `time: invalid duration ${quoted}`;
}
