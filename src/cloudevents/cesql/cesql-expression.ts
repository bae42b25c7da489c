import type { EventMessage } from '../event-message.ts';
import type { CesqlNode, CesqlValue } from './ast.ts';
import { CesqlFault } from './cesql-fault.ts';
import { Compiler, type CompileOptions } from './compile.ts';
import { clearFailure, failure, takeFailure } from './failure.ts';
import { parseCesql } from './parser.ts';

/** What an expression gave: always a value, and the error beside it when there was one. */
export interface CesqlResult {
  readonly value: CesqlValue;
  readonly error: CesqlFault | undefined;
}

// Nearly every expression is a filter: its results need not be made each time.
const trueResult: CesqlResult = Object.freeze({ value: true, error: undefined });
const falseResult: CesqlResult = Object.freeze({ value: false, error: undefined });

export type CesqlOptions = CompileOptions;

/** An expression that is ready to be evaluated. */
export class CesqlExpression {
  /** What was compiled; of a node taken from a larger expression, the text of the whole. */
  readonly text: string;
  readonly node: CesqlNode;
  readonly options: CesqlOptions | undefined;
  readonly #value: (event: EventMessage) => CesqlValue;

  constructor(text: string, node: CesqlNode, options: CesqlOptions | undefined) {
    this.text = text;
    this.node = node;
    this.options = options;
    this.#value = new Compiler(options).value(node);
  }

  /** The value and the error, if there is one: then the value is the zero value of the outermost operator, or what a function defines. */
  evaluate(event: EventMessage): CesqlResult {
    const value = this.#value(event);
    if (failure.kind !== undefined) return { value, error: takeFailure() };
    if (value === true) return trueResult;
    return value === false ? falseResult : { value, error: undefined };
  }

  /** The verdict as a filter: the value is true, not another type's value, and there was no error. */
  matches(event: EventMessage): boolean {
    const value = this.#value(event);
    if (failure.kind === undefined) return value === true;
    clearFailure();
    return false;
  }
}

/** Parses and compiles an expression; a parse error comes back as a value. */
export function compileCesql(text: string, options?: CesqlOptions): CesqlExpression | CesqlFault {
  const node = parseCesql(text, options);
  return node instanceof CesqlFault ? node : new CesqlExpression(text, node, options);
}

/** Compiles a part of a parsed expression. `text` is the text that it was parsed from. */
export function compileCesqlNode(text: string, node: CesqlNode, options?: CesqlOptions): CesqlExpression {
  return new CesqlExpression(text, node, options);
}
