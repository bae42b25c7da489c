import type { CesqlNode, CesqlValue } from './ast.ts';
import { nearestInteger, parseBoolean, parseInteger, toBoolean, toInteger, toText } from './cast.ts';
import { fail, failure } from './failure.ts';
import { FunctionTable, type BuiltinFunction } from './functions.ts';
import { byteLengthOf, byteSliceOf, lengthOf, lowerCase, sliceOf, trim, upperCase } from './text.ts';

/** How long a text is and how to cut it: in code points, or in bytes as the reference engine does. */
interface Measure {
  readonly length: (text: string) => number;
  readonly slice: (text: string, start: number, end: number) => string;
}

const codePoints: Measure = { length: lengthOf, slice: sliceOf };
const bytes: Measure = { length: byteLengthOf, slice: byteSliceOf };

// Arguments have been cast to the parameters' types by the caller; these only tell the compiler.
const asText = (value: CesqlValue): string => (typeof value === 'string' ? value : '');
const asInteger = (value: CesqlValue): number => (typeof value === 'number' ? value : 0);

function left(node: CesqlNode, text: string, count: number, measure: Measure): string {
  if (count < 0) return badCount(node, 'LEFT', text, count);
  return measure.slice(text, 0, count);
}

function right(node: CesqlNode, text: string, count: number, measure: Measure): string {
  if (count < 0) return badCount(node, 'RIGHT', text, count);
  const length = measure.length(text);
  return count >= length ? text : measure.slice(text, length - count, length);
}

/** The specification wants the whole text beside this error. */
function badCount(node: CesqlNode, name: string, text: string, count: number): string {
  fail('functionEvaluation', node, `${name} cannot take ${count} characters`);
  return text;
}

function substring(node: CesqlNode, text: string, position: number, count: number, measure: Measure): string {
  if (position === 0) return '';
  // A text has at least half as many characters as code units: mostly its length need not be counted.
  const surelyInside = position > 0 && 2 * position <= text.length;
  const length = surelyInside ? position : measure.length(text);
  if (position > length || position < -length) {
    fail('functionEvaluation', node, `SUBSTRING position ${position} is outside of a text of ${length} characters`);
    return '';
  }
  if (count < 0) {
    fail('functionEvaluation', node, `SUBSTRING cannot take ${count} characters`);
    return '';
  }
  const start = position < 0 ? length + position : position - 1;
  return measure.slice(text, start, start + count);
}

function abs(node: CesqlNode, value: number): number {
  if (value !== -0x80000000) return Math.abs(value);
  fail('math', node, 'the absolute value does not fit into 32 bits');
  return 0x7fffffff;
}

function concatWithSeparator(args: readonly CesqlValue[]): string {
  let text = asText(args[1] ?? '');
  const separator = asText(args[0] ?? '');
  for (let i = 2; i < args.length; i++) text += separator + asText(args[i] ?? '');
  return text;
}

function isInteger(value: CesqlValue): boolean {
  return typeof value !== 'string' || !Number.isNaN(parseInteger(value));
}

const textFunctions = (measure: Measure): BuiltinFunction[] => [
  { name: 'LENGTH', parameters: ['string'], returns: 'integer', call: (_, text) => measure.length(asText(text)) },
  {
    name: 'LEFT',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, text, count) => left(node, asText(text), asInteger(count), measure),
  },
  {
    name: 'RIGHT',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, text, count) => right(node, asText(text), asInteger(count), measure),
  },
  {
    name: 'SUBSTRING',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, text, position) => substring(node, asText(text), asInteger(position), 0x7fffffff, measure),
  },
  {
    name: 'SUBSTRING',
    parameters: ['string', 'integer', 'integer'],
    returns: 'string',
    call: (node, text, position, count) => substring(node, asText(text), asInteger(position), asInteger(count), measure),
  },
];

const zeroText = (): string => '';

const otherFunctions: readonly BuiltinFunction[] = [
  { name: 'ABS', parameters: ['integer'], returns: 'integer', call: (node, value) => abs(node, asInteger(value)) },
  { name: 'CONCAT', parameters: [], rest: 'string', returns: 'string', call: zeroText, callAll: (args) => args.join('') },
  { name: 'CONCAT_WS', parameters: ['string'], rest: 'string', returns: 'string', call: zeroText, callAll: concatWithSeparator },
  { name: 'LOWER', parameters: ['string'], returns: 'string', call: (_, text) => lowerCase(asText(text)) },
  { name: 'UPPER', parameters: ['string'], returns: 'string', call: (_, text) => upperCase(asText(text)) },
  { name: 'TRIM', parameters: ['string'], returns: 'string', call: (_, text) => trim(asText(text)) },
  { name: 'BOOL', parameters: ['any'], returns: 'boolean', call: (node, value) => toBoolean(value, node) },
  { name: 'STRING', parameters: ['any'], returns: 'string', call: (_, value) => toText(value) },
  { name: 'IS_INT', parameters: ['any'], returns: 'boolean', call: (_, value) => isInteger(value) },
  {
    name: 'IS_BOOL',
    parameters: ['any'],
    returns: 'boolean',
    call: (_, value) => typeof value !== 'string' || parseBoolean(value) !== undefined,
  },
];

const int: BuiltinFunction = {
  name: 'INT',
  parameters: ['any'],
  returns: 'integer',
  call: (node, value) => toInteger(value, node),
};

const intUpstream: BuiltinFunction = {
  ...int,
  call: (node, value) => {
    const integer = toInteger(value, node);
    return failure.kind !== undefined && typeof value === 'string' ? nearestInteger(value) : integer;
  },
};

/** The functions of the specification. */
export const builtinFunctions: FunctionTable<BuiltinFunction> = new FunctionTable([
  ...textFunctions(codePoints),
  ...otherFunctions,
  int,
]);

/** The same with the reference engine's bytes and integer overflow. */
export const builtinFunctionsUpstream: FunctionTable<BuiltinFunction> = new FunctionTable([
  ...textFunctions(bytes),
  ...otherFunctions,
  intUpstream,
]);
