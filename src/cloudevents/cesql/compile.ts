import type {
  ArithmeticNode,
  CallNode,
  CesqlNode,
  CesqlType,
  CesqlValue,
  ComparisonNode,
  InNode,
  LikeNode,
  LogicNode,
} from './ast.ts';
import { builtinFunctions, builtinFunctionsUpstream } from './builtin-functions.ts';
import { castLike, toBoolean, toInteger, toText, typeOfValue } from './cast.ts';
import { attributeValue, exists, isTextAttribute } from './compile-attribute.ts';
import { callBuiltin, callOwn } from './compile-call.ts';
import { inLiterals } from './compile-in.ts';
import { bothIntegers, compareIntegers, divisionByZero } from './compile-integers.ts';
import { fail, failure } from './failure.ts';
import type { BuiltinFunction, CesqlFunction, CesqlParameterType, FunctionTable } from './functions.ts';
import type { Get } from './getter.ts';
import { compileLike, compileLikeUpstream } from './like.ts';

// Turns the tree into closures chosen by static type. Every closure returns a value of its type in any case, the zero value when
// it failed; `failure` says whether. An attribute's value has a type only at run time (`any`), everything else has a known one.

export interface CompileOptions {
  readonly as?: 'specification' | 'upstream';
  readonly functions?: FunctionTable<CesqlFunction>;
}

export class Compiler {
  readonly #upstream: boolean;
  readonly #builtin: FunctionTable<BuiltinFunction>;
  readonly #own: FunctionTable<CesqlFunction> | undefined;

  constructor(options: CompileOptions | undefined) {
    this.#upstream = options?.as === 'upstream';
    this.#builtin = this.#upstream ? builtinFunctionsUpstream : builtinFunctions;
    this.#own = options?.functions;
  }

  /** The node's own value, not cast. */
  value(node: CesqlNode): Get<CesqlValue> {
    if (node.kind === 'attribute') return attributeValue(node);
    if (node.kind === 'literal') {
      const value = node.value;
      return () => value;
    }
    const type = this.#typeOf(node);
    return type === 'boolean' ? this.boolean(node) : type === 'integer' ? this.integer(node) : this.text(node);
  }

  #typeOf(node: CesqlNode): CesqlType | 'any' {
    switch (node.kind) {
      case 'literal':
        return typeOfValue(node.value);
      case 'attribute':
        return isTextAttribute(node.name) ? 'string' : 'any';
      case 'negate':
      case 'arithmetic':
        return 'integer';
      case 'call':
        return (
          (this.#own?.resolve(node.name, node.args.length) ?? this.#builtin.resolve(node.name, node.args.length))?.returns ??
          'boolean'
        );
      default:
        return 'boolean';
    }
  }

  boolean(node: CesqlNode): Get<boolean> {
    switch (node.kind) {
      case 'and':
        return this.#and(node);
      case 'or':
        return this.#or(node);
      case 'xor':
        return this.#xor(node);
      case 'not':
        return this.#not(node.operand);
      case 'comparison':
        return node.operator === '=' || node.operator === '!=' ? this.#equality(node) : this.#order(node);
      case 'like':
        return this.#like(node);
      case 'in':
        return this.#in(node);
      case 'exists':
        return exists(node);
      case 'negate':
      case 'arithmetic': {
        const integer = this.integer(node);
        return (event) => integer(event) !== 0;
      }
      case 'attribute':
      case 'literal': {
        const value = this.value(node);
        return (event) => {
          const raw = value(event);
          return failure.kind === undefined && toBoolean(raw, node);
        };
      }
      case 'call': {
        const call = this.#call(node);
        return (event) => {
          const value = call(event);
          // `failure` may be set already and the value still count: it is the one beside the error.
          return typeof value === 'boolean' ? value : failure.kind === undefined && toBoolean(value, node);
        };
      }
    }
  }

  integer(node: CesqlNode): Get<number> {
    switch (node.kind) {
      case 'negate': {
        const operand = this.integer(node.operand);
        return (event) => (0 - operand(event)) | 0;
      }
      case 'arithmetic':
        return this.#arithmetic(node);
      case 'literal':
      case 'attribute': {
        if (node.kind === 'literal' && typeof node.value === 'number') {
          const integer = node.value;
          return () => integer;
        }
        const value = this.value(node);
        return (event) => {
          const raw = value(event);
          return failure.kind === undefined ? toInteger(raw, node) : 0;
        };
      }
      case 'call': {
        const call = this.#call(node);
        return (event) => {
          const value = call(event);
          if (typeof value === 'number') return value;
          return failure.kind === undefined ? toInteger(value, node) : 0;
        };
      }
      default: {
        const boolean = this.boolean(node);
        return (event) => (boolean(event) ? 1 : 0);
      }
    }
  }

  text(node: CesqlNode): Get<string> {
    if (node.kind === 'literal') {
      const text = toText(node.value);
      return () => text;
    }
    const value = node.kind === 'call' ? this.#call(node) : this.value(node);
    return (event) => {
      const raw = value(event);
      if (typeof raw === 'string') return raw;
      return failure.kind === undefined ? toText(raw) : '';
    };
  }

  /** A failed operand is false, which ends the conjunction as it should. */
  #and(node: LogicNode): Get<boolean> {
    const operands = node.operands.map((operand) => this.boolean(operand));
    const [first, second, third] = operands;
    if (first !== undefined && second !== undefined && operands.length < 4) {
      if (third === undefined) return (event) => first(event) && second(event);
      return (event) => first(event) && second(event) && third(event);
    }
    return (event) => {
      for (let i = 0; i < operands.length; i++) if (operands[i]?.(event) !== true) return false;
      return true;
    };
  }

  #or(node: LogicNode): Get<boolean> {
    const operands = node.operands.map((operand) => this.boolean(operand));
    return (event) => {
      for (let i = 0; i < operands.length; i++) {
        const value = operands[i]?.(event);
        if (failure.kind !== undefined) return false;
        if (value === true) return true;
      }
      return false;
    };
  }

  #xor(node: LogicNode): Get<boolean> {
    const operands = node.operands.map((operand) => this.boolean(operand));
    return (event) => {
      let result = false;
      for (let i = 0; i < operands.length; i++) {
        const value = operands[i]?.(event) === true;
        if (failure.kind !== undefined) return false;
        result = result !== value;
      }
      return result;
    };
  }

  #not(operand: CesqlNode): Get<boolean> {
    const value = this.boolean(operand);
    return (event) => {
      const result = value(event);
      return failure.kind === undefined && !result;
    };
  }

  #arithmetic(node: ArithmeticNode): Get<number> {
    const [left, right] = this.#integerPair(node.left, node.right);
    switch (node.operator) {
      case '+':
        return bothIntegers(left, right, (a, b) => (a + b) | 0);
      case '-':
        return bothIntegers(left, right, (a, b) => (a - b) | 0);
      case '*':
        return bothIntegers(left, right, Math.imul);
      case '/':
        return bothIntegers(left, right, (a, b) => (b === 0 ? divisionByZero(node) : (a / b) | 0));
      default:
        return bothIntegers(left, right, (a, b) => (b === 0 ? divisionByZero(node) : (a % b) | 0));
    }
  }

  #order(node: ComparisonNode): Get<boolean> {
    const [left, right] = this.#integerPair(node.left, node.right);
    switch (node.operator) {
      case '<':
        return compareIntegers(left, right, (a, b) => a < b);
      case '<=':
        return compareIntegers(left, right, (a, b) => a <= b);
      case '>':
        return compareIntegers(left, right, (a, b) => a > b);
      default:
        return compareIntegers(left, right, (a, b) => a >= b);
    }
  }

  /**
   * Two operands as integers. Both are evaluated before the first one is cast, so when the right one fails to evaluate, its error
   * goes before the left one's cast error. That matters only when both can happen.
   */
  #integerPair(leftNode: CesqlNode, rightNode: CesqlNode): [Get<number>, Get<number>] {
    if (!canFailToCast(this.#typeOf(leftNode)) || !canFailToEvaluate(rightNode))
      return [this.integer(leftNode), this.integer(rightNode)];
    const left = this.value(leftNode);
    const right = this.value(rightNode);
    let rightValue: CesqlValue = 0;
    return [
      (event) => {
        const value = left(event);
        if (failure.kind !== undefined) return 0;
        const other = right(event);
        if (failure.kind !== undefined) return 0;
        rightValue = other;
        return toInteger(value, leftNode);
      },
      () => toInteger(rightValue, rightNode),
    ];
  }

  #equality(node: ComparisonNode): Get<boolean> {
    const wanted = node.operator === '=';
    const { left, right } = node;
    if (right.kind === 'literal') {
      const value = right.value;
      if (typeof value === 'string') return this.#equalsText(left, value, wanted);
      if (typeof value === 'number') {
        const integer = this.integer(left);
        return (event) => {
          const same = integer(event) === value;
          return failure.kind === undefined && same === wanted;
        };
      }
      const boolean = this.boolean(left);
      return (event) => {
        const same = boolean(event) === value;
        return failure.kind === undefined && same === wanted;
      };
    }
    const leftValue = this.value(left);
    const rightValue = this.value(right);
    return (event) => {
      const first = leftValue(event);
      if (failure.kind !== undefined) return false;
      const second = rightValue(event);
      if (failure.kind !== undefined) return false;
      const same = castLike(first, second, left) === second;
      return failure.kind === undefined && same === wanted;
    };
  }

  #equalsText(left: CesqlNode, literal: string, wanted: boolean): Get<boolean> {
    if (left.kind === 'attribute') {
      switch (left.name) {
        case 'type':
          return (event) => (event.type === literal) === wanted;
        case 'source':
          return (event) => (event.source === literal) === wanted;
      }
    }
    const text = this.text(left);
    return (event) => {
      const same = text(event) === literal;
      return failure.kind === undefined && same === wanted;
    };
  }

  #like(node: LikeNode): Get<boolean> {
    const matches = this.#upstream ? compileLikeUpstream(node.pattern) : compileLike(node.pattern);
    if (node.operand.kind === 'attribute') {
      switch (node.operand.name) {
        case 'type':
          return (event) => matches(event.type);
        case 'source':
          return (event) => matches(event.source);
      }
    }
    const text = this.text(node.operand);
    return (event) => {
      const value = text(event);
      return failure.kind === undefined && matches(value);
    };
  }

  #in(node: InNode): Get<boolean> {
    const operand = this.value(node.operand);
    if (node.set.every((item) => item.kind === 'literal')) {
      return inLiterals(
        operand,
        node.set.map((item) => (item.kind === 'literal' ? item.value : false)),
        node,
      );
    }
    const items = node.set.map((item) => this.value(item));
    return (event) => {
      const value = operand(event);
      if (failure.kind !== undefined) return false;
      for (let i = 0; i < items.length; i++) {
        const item = items[i]?.(event) ?? false;
        if (failure.kind !== undefined) return false;
        const same = castLike(item, value, node.set[i] ?? node) === value;
        if (failure.kind !== undefined) return false;
        if (same) return true;
      }
      return false;
    };
  }

  #call(node: CallNode): Get<CesqlValue> {
    const count = node.args.length;
    const own = this.#own?.resolve(node.name, count);
    const definition = own ?? this.#builtin.resolve(node.name, count);
    if (definition === undefined) {
      return () => {
        fail('missingFunction', node, node.name);
        return false;
      };
    }
    const { parameters, rest = 'any' } = definition;
    const args = node.args.map((arg, index) => this.#argument(arg, parameters[index] ?? rest));
    return 'run' in definition ? callOwn(node, definition, args) : callBuiltin(node, definition, args);
  }

  #argument(node: CesqlNode, type: CesqlParameterType): Get<CesqlValue> {
    switch (type) {
      case 'any':
        return this.value(node);
      case 'string':
        return this.text(node);
      case 'integer':
        return this.integer(node);
      default:
        return this.boolean(node);
    }
  }
}

function canFailToCast(type: CesqlType | 'any'): boolean {
  return type === 'string' || type === 'any';
}

function canFailToEvaluate(node: CesqlNode): boolean {
  return node.kind !== 'literal' && node.kind !== 'exists';
}
