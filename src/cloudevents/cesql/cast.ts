import type { CesqlNode, CesqlType, CesqlValue } from './ast.ts';
import { fail } from './failure.ts';

/** The integer that a text spells (sign, decimal digits, 32 bits), NaN when it spells none. */
export function parseInteger(text: string): number {
  const value = parseUnbounded(text);
  return value >= -0x80000000 && value <= 0x7fffffff ? value : NaN;
}

function parseUnbounded(text: string): number {
  const first = text.charCodeAt(0);
  const signed = first === 0x2d || first === 0x2b;
  if (text.length === (signed ? 1 : 0)) return NaN;
  let value = 0;
  for (let i = signed ? 1 : 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  // `0 -` instead of a sign change, which would make -0 of 0.
  return first === 0x2d ? 0 - value : value;
}

/** What the reference engine gives beside the error of a cast that does not fit: the nearest integer. */
export function nearestInteger(text: string): number {
  const value = parseUnbounded(text);
  return value > 0x7fffffff ? 0x7fffffff : value < -0x80000000 ? -0x80000000 : 0;
}

/** True, false, or `undefined` for a text that spells neither. */
export function parseBoolean(text: string): boolean | undefined {
  if (text.length === 4) return text.toLowerCase() === 'true' ? true : undefined;
  return text.length === 5 && text.toLowerCase() === 'false' ? false : undefined;
}

/** The value as text; always defined. */
export function toText(value: CesqlValue): string {
  return typeof value === 'string' ? value : String(value);
}

/** The value as an integer; 0 and a recorded cast error when it is none. */
export function toInteger(value: CesqlValue, node: CesqlNode): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const integer = parseInteger(value);
  if (integer === integer) return integer;
  fail('cast', node, `${JSON.stringify(value)} to an integer`);
  return 0;
}

/** The value as a boolean; false and a recorded cast error when it is none. */
export function toBoolean(value: CesqlValue, node: CesqlNode): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  const boolean = parseBoolean(value);
  if (boolean !== undefined) return boolean;
  fail('cast', node, `${JSON.stringify(value)} to a boolean`);
  return false;
}

export function typeOfValue(value: CesqlValue): CesqlType {
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'integer' : 'boolean';
}

/** The value in the type of another one. */
export function castLike(value: CesqlValue, example: CesqlValue, node: CesqlNode): CesqlValue {
  if (typeof example === 'string') return toText(value);
  return typeof example === 'number' ? toInteger(value, node) : toBoolean(value, node);
}

export function zeroOf(type: CesqlType): CesqlValue {
  return type === 'string' ? '' : type === 'integer' ? 0 : false;
}
