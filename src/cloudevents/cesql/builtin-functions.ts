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
const textAt = (args: readonly CesqlValue[], index: number): string => {
  const value = args[index];
  return typeof value === 'string' ? value : '';
};
const integerAt = (args: readonly CesqlValue[], index: number): number => {
  const value = args[index];
  return typeof value === 'number' ? value : 0;
};
const valueAt = (args: readonly CesqlValue[], index: number): CesqlValue => args[index] ?? false;

function left(node: CesqlNode, text: string, count: number, measure: Measure): string {
  if (count < 0) return badCount(node, 'LEFT', text, count);
  return count >= text.length ? text : measure.slice(text, 0, Math.min(count, measure.length(text)));
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
  const length = measure.length(text);
  if (position > length || position < -length) {
    fail('functionEvaluation', node, `SUBSTRING position ${position} is outside of a text of ${length} characters`);
    return '';
  }
  if (count < 0) {
    fail('functionEvaluation', node, `SUBSTRING cannot take ${count} characters`);
    return '';
  }
  const start = position < 0 ? length + position : position - 1;
  return measure.slice(text, start, Math.min(length, start + count));
}

function abs(node: CesqlNode, value: number): number {
  if (value !== -0x80000000) return Math.abs(value);
  fail('math', node, 'the absolute value does not fit into 32 bits');
  return 0x7fffffff;
}

function concatWithSeparator(args: readonly CesqlValue[]): string {
  let text = textAt(args, 1);
  const separator = textAt(args, 0);
  for (let i = 2; i < args.length; i++) text += separator + textAt(args, i);
  return text;
}

function isInteger(value: CesqlValue): boolean {
  return typeof value !== 'string' || !Number.isNaN(parseInteger(value));
}

const textFunctions = (measure: Measure): BuiltinFunction[] => [
  { name: 'LENGTH', parameters: ['string'], returns: 'integer', call: (_, args) => measure.length(textAt(args, 0)) },
  {
    name: 'LEFT',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, args) => left(node, textAt(args, 0), integerAt(args, 1), measure),
  },
  {
    name: 'RIGHT',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, args) => right(node, textAt(args, 0), integerAt(args, 1), measure),
  },
  {
    name: 'SUBSTRING',
    parameters: ['string', 'integer'],
    returns: 'string',
    call: (node, args) => substring(node, textAt(args, 0), integerAt(args, 1), 0x7fffffff, measure),
  },
  {
    name: 'SUBSTRING',
    parameters: ['string', 'integer', 'integer'],
    returns: 'string',
    call: (node, args) => substring(node, textAt(args, 0), integerAt(args, 1), integerAt(args, 2), measure),
  },
];

const otherFunctions: readonly BuiltinFunction[] = [
  { name: 'ABS', parameters: ['integer'], returns: 'integer', call: (node, args) => abs(node, integerAt(args, 0)) },
  { name: 'CONCAT', parameters: [], rest: 'string', returns: 'string', call: (_, args) => args.join('') },
  { name: 'CONCAT_WS', parameters: ['string'], rest: 'string', returns: 'string', call: (_, args) => concatWithSeparator(args) },
  { name: 'LOWER', parameters: ['string'], returns: 'string', call: (_, args) => lowerCase(textAt(args, 0)) },
  { name: 'UPPER', parameters: ['string'], returns: 'string', call: (_, args) => upperCase(textAt(args, 0)) },
  { name: 'TRIM', parameters: ['string'], returns: 'string', call: (_, args) => trim(textAt(args, 0)) },
  { name: 'BOOL', parameters: ['any'], returns: 'boolean', call: (node, args) => toBoolean(valueAt(args, 0), node) },
  { name: 'STRING', parameters: ['any'], returns: 'string', call: (_, args) => toText(valueAt(args, 0)) },
  { name: 'IS_INT', parameters: ['any'], returns: 'boolean', call: (_, args) => isInteger(valueAt(args, 0)) },
  {
    name: 'IS_BOOL',
    parameters: ['any'],
    returns: 'boolean',
    call: (_, args) => {
      const value = valueAt(args, 0);
      return typeof value !== 'string' || parseBoolean(value) !== undefined;
    },
  },
];

const int: BuiltinFunction = {
  name: 'INT',
  parameters: ['any'],
  returns: 'integer',
  call: (node, args) => toInteger(valueAt(args, 0), node),
};

const intUpstream: BuiltinFunction = {
  ...int,
  call: (node, args) => {
    const value = valueAt(args, 0);
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
