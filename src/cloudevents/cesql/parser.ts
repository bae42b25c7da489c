import type { ArithmeticNode, CallNode, CesqlNode, ComparisonNode, InNode, LikeNode, LogicNode } from './ast.ts';
import { CesqlFault } from './cesql-fault.ts';
import { expressionDepthMax, expressionLengthMax, likePatternLengthMax } from './cesql-limits.ts';
import * as token from './lexer.ts';

export interface CesqlParseOptions {
  /**
   * `specification` (default) or `upstream`: the reference engine (sdk-go), which groups AND, OR and XOR to the right, counts
   * bytes instead of characters, gives a value beside the overflow of an integer cast, and skips characters that start no token.
   */
  readonly as?: 'specification' | 'upstream';
}

/** The tree of an expression, or the first thing that is wrong with it. */
export function parseCesql(text: string, options?: CesqlParseOptions): CesqlNode | CesqlFault {
  if (text.length > expressionLengthMax) {
    return new CesqlFault(
      'parse',
      `the expression is longer than ${expressionLengthMax} characters`,
      expressionLengthMax,
      text.length,
    );
  }
  return new Parser(text, options?.as === 'upstream').parse();
}

// Binding strength of operators, weak to strong. Prefix operators bind stronger than all of them.
const logicPrecedence = 1;
const comparisonPrecedence = 2;
const additivePrecedence = 3;
const multiplicativePrecedence = 4;
/** LIKE and IN, both alone and behind NOT. */
const testPrecedence = 5;
const prefixPrecedence = 6;

const precedences = new Uint8Array(32);
for (const kind of [token.andToken, token.orToken, token.xorToken]) precedences[kind] = logicPrecedence;
for (let kind = token.equalToken; kind <= token.greaterOrEqualToken; kind++) precedences[kind] = comparisonPrecedence;
for (const kind of [token.plusToken, token.minusToken]) precedences[kind] = additivePrecedence;
for (const kind of [token.starToken, token.slashToken, token.percentToken]) precedences[kind] = multiplicativePrecedence;
for (const kind of [token.inToken, token.likeToken, token.notToken]) precedences[kind] = testPrecedence;

const arithmeticOperators: Readonly<Record<number, ArithmeticNode['operator']>> = {
  [token.plusToken]: '+',
  [token.minusToken]: '-',
  [token.starToken]: '*',
  [token.slashToken]: '/',
  [token.percentToken]: '%',
};
const comparisonOperators: Readonly<Record<number, ComparisonNode['operator']>> = {
  [token.equalToken]: '=',
  [token.notEqualToken]: '!=',
  [token.lessToken]: '<',
  [token.lessOrEqualToken]: '<=',
  [token.greaterToken]: '>',
  [token.greaterOrEqualToken]: '>=',
};

/** Operator precedence (Pratt) parser. A fault unwinds as a return value: `undefined` from every method, the fault in the field. */
class Parser {
  readonly #lexer: token.Lexer;
  readonly #text: string;
  readonly #upstream: boolean;
  /** How deep the parser has descended. */
  #depth = 0;
  /** How many nodes are on the longest way down the node that was made last. */
  #height = 0;
  #fault: CesqlFault | undefined;

  constructor(text: string, upstream: boolean) {
    this.#text = text;
    this.#upstream = upstream;
    this.#lexer = new token.Lexer(text, upstream);
  }

  parse(): CesqlNode | CesqlFault {
    const lexer = this.#lexer;
    lexer.next();
    const node = this.#expression(0);
    if (node !== undefined && lexer.kind === token.endToken && lexer.fault === undefined) return node;
    // What the lexer could not read comes before what the parser makes of the end that it saw instead.
    return lexer.fault ?? this.#fault ?? this.#unexpectedToken();
  }

  #unexpectedToken(wanted?: string): CesqlFault {
    const { kind, start, end } = this.#lexer;
    const found =
      kind === token.endToken ? 'the end of the expression' : JSON.stringify(this.#text.slice(start, Math.min(end, start + 50)));
    return new CesqlFault('parse', `unexpected ${found}${wanted === undefined ? '' : `, expected ${wanted}`}`, start, end);
  }

  #fail(fault: CesqlFault): undefined {
    this.#fault ??= fault;
    return undefined;
  }

  #unexpected(wanted?: string): undefined {
    return this.#fail(this.#unexpectedToken(wanted));
  }

  #tooDeep(): undefined {
    const { start, end } = this.#lexer;
    return this.#fail(new CesqlFault('parse', `the expression nests deeper than ${expressionDepthMax} levels`, start, end));
  }

  #expression(precedenceMin: number): CesqlNode | undefined {
    if (++this.#depth > expressionDepthMax) return this.#tooDeep();
    const start = this.#lexer.start;
    let left = this.#prefix();
    while (left !== undefined) {
      const kind = this.#lexer.kind;
      const precedence = precedences[kind] ?? 0;
      if (precedence === 0 || precedence < precedenceMin) break;
      left = this.#infix(left, start, kind, precedence);
      if (this.#height > expressionDepthMax) return this.#tooDeep();
    }
    this.#depth--;
    return left;
  }

  #infix(left: CesqlNode, start: number, kind: number, precedence: number): CesqlNode | undefined {
    if (precedence === logicPrecedence) return this.#logic(left, start, kind);
    if (precedence === testPrecedence) return this.#test(left, start);
    const leftHeight = this.#height;
    this.#lexer.next();
    const right = this.#expression(precedence + 1);
    if (right === undefined) return undefined;
    this.#height = 1 + Math.max(leftHeight, this.#height);
    const end = this.#lexer.previousEnd;
    if (precedence === comparisonPrecedence) {
      return { kind: 'comparison', start, end, operator: comparisonOperators[kind] ?? '=', left, right };
    }
    return { kind: 'arithmetic', start, end, operator: arithmeticOperators[kind] ?? '+', left, right };
  }

  #logic(left: CesqlNode, start: number, kind: number): CesqlNode | undefined {
    const operator: LogicNode['kind'] = kind === token.andToken ? 'and' : kind === token.orToken ? 'or' : 'xor';
    const operands = [left];
    let height = this.#height;
    let lastStart = start;
    while (this.#lexer.kind === kind) {
      this.#lexer.next();
      lastStart = this.#lexer.start;
      let right = this.#expression(logicPrecedence + 1);
      // The reference engine groups to the right: the operand takes another operator behind it as its own.
      if (right !== undefined && this.#upstream && this.#isOtherLogic(kind)) right = this.#nestedLogic(right, lastStart);
      if (right === undefined) return undefined;
      operands.push(right);
      if (this.#height > height) height = this.#height;
    }
    this.#height = height + 1;
    return { kind: operator, start, end: this.#lexer.previousEnd, operands };
  }

  #isOtherLogic(kind: number): boolean {
    return this.#lexer.kind !== kind && precedences[this.#lexer.kind] === logicPrecedence;
  }

  #nestedLogic(left: CesqlNode, start: number): CesqlNode | undefined {
    if (++this.#depth > expressionDepthMax) return this.#tooDeep();
    const node = this.#logic(left, start, this.#lexer.kind);
    this.#depth--;
    return node;
  }

  /** `[NOT] LIKE pattern` or `[NOT] IN (…)` behind an operand. */
  #test(left: CesqlNode, start: number): CesqlNode | undefined {
    const lexer = this.#lexer;
    const negated = lexer.kind === token.notToken;
    if (negated) lexer.next();
    let node: LikeNode | InNode | undefined;
    if (lexer.kind === token.likeToken) node = this.#like(left, start);
    else if (lexer.kind === token.inToken) node = this.#in(left, start);
    else return this.#unexpected('LIKE or IN');
    this.#height += negated ? 2 : 1;
    if (node === undefined || !negated) return node;
    return { kind: 'not', start, end: node.end, operand: node };
  }

  #like(operand: CesqlNode, start: number): LikeNode | undefined {
    const lexer = this.#lexer;
    lexer.next();
    if (lexer.kind !== token.stringToken) return this.#unexpected('a string literal as the pattern');
    const pattern = lexer.stringValue();
    if (pattern.length > likePatternLengthMax) {
      return this.#fail(
        new CesqlFault('parse', `the pattern is longer than ${likePatternLengthMax} characters`, lexer.start, lexer.end),
      );
    }
    lexer.next();
    return { kind: 'like', start, end: lexer.previousEnd, operand, pattern };
  }

  #in(operand: CesqlNode, start: number): InNode | undefined {
    const height = this.#height;
    this.#lexer.next();
    const set = this.#list('a list in parentheses');
    if (set === undefined) return undefined;
    const end = this.#lexer.previousEnd;
    if (set.length === 0) return this.#fail(new CesqlFault('parse', 'the list of IN is empty', start, end));
    if (height > this.#height) this.#height = height;
    return { kind: 'in', start, end, operand, set };
  }

  /** `(a, b, …)`, maybe empty. */
  #list(wanted: string): CesqlNode[] | undefined {
    const lexer = this.#lexer;
    if (lexer.kind !== token.openToken) return this.#unexpected(wanted);
    lexer.next();
    const items: CesqlNode[] = [];
    let height = 0;
    if (lexer.kind !== token.closeToken) {
      for (;;) {
        const item = this.#expression(0);
        if (item === undefined) return undefined;
        items.push(item);
        if (this.#height > height) height = this.#height;
        if (lexer.kind !== token.commaToken) break;
        lexer.next();
      }
      if (lexer.kind !== token.closeToken) return this.#unexpected('"," or ")"');
    }
    this.#height = height;
    lexer.next();
    return items;
  }

  #prefix(): CesqlNode | undefined {
    const lexer = this.#lexer;
    const { kind, start, end } = lexer;
    this.#height = 1;
    switch (kind) {
      case token.wordToken:
      case token.functionNameToken:
      case token.wordWithDigitsToken:
        return this.#name(kind, start, end);
      case token.stringToken:
        return this.#string(start, end);
      case token.integerToken:
        return this.#integer(start, end);
      case token.trueToken:
      case token.falseToken:
        lexer.next();
        return { kind: 'literal', start, end, value: kind === token.trueToken };
      case token.openToken:
        return this.#parenthesised();
      case token.notToken:
      case token.minusToken:
        return this.#unary(kind, start);
      case token.existsToken:
        return this.#exists(start);
      default:
        return this.#unexpected();
    }
  }

  #name(kind: number, start: number, end: number): CesqlNode | undefined {
    this.#lexer.next();
    if (this.#lexer.kind === token.openToken && kind !== token.wordWithDigitsToken) return this.#call(start, end);
    if (kind === token.functionNameToken) return this.#unexpected('"(" behind the name of a function');
    return { kind: 'attribute', start, end, name: lowerCase(this.#text.slice(start, end)) };
  }

  #call(start: number, end: number): CallNode | undefined {
    const args = this.#list('arguments in parentheses');
    if (args === undefined) return undefined;
    this.#height++;
    return { kind: 'call', start, end: this.#lexer.previousEnd, name: upperCase(this.#text.slice(start, end)), args };
  }

  #string(start: number, end: number): CesqlNode {
    const value = this.#lexer.stringValue();
    this.#lexer.next();
    return { kind: 'literal', start, end, value };
  }

  #integer(start: number, end: number): CesqlNode | undefined {
    const value = Number(this.#text.slice(start, end));
    if (value > 0x7fffffff || value < -0x80000000) {
      return this.#fail(new CesqlFault('parse', 'the number does not fit into 32 bits', start, end));
    }
    this.#lexer.next();
    return { kind: 'literal', start, end, value: value | 0 };
  }

  #parenthesised(): CesqlNode | undefined {
    this.#lexer.next();
    const inner = this.#expression(0);
    if (inner === undefined) return undefined;
    if (this.#lexer.kind !== token.closeToken) return this.#unexpected('")"');
    this.#lexer.next();
    return inner;
  }

  #unary(kind: number, start: number): CesqlNode | undefined {
    this.#lexer.next();
    const operand = this.#expression(prefixPrecedence);
    if (operand === undefined) return undefined;
    this.#height++;
    return { kind: kind === token.notToken ? 'not' : 'negate', start, end: this.#lexer.previousEnd, operand };
  }

  #exists(start: number): CesqlNode | undefined {
    const lexer = this.#lexer;
    lexer.next();
    if (lexer.kind !== token.wordToken && lexer.kind !== token.wordWithDigitsToken)
      return this.#unexpected('the name of an attribute');
    const name = lowerCase(this.#text.slice(lexer.start, lexer.end));
    lexer.next();
    return { kind: 'exists', start, end: lexer.previousEnd, name };
  }
}

// Names are mostly written in the case that is wanted already: then no new string is made.

function lowerCase(name: string): string {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x5b && name.charCodeAt(i) > 0x40) return name.toLowerCase();
  return name;
}

function upperCase(name: string): string {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x60) return name.toUpperCase();
  return name;
}
