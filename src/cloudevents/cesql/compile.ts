import type { AttributeValue, EventMessage } from '../event-message.ts';
import type {
  ArithmeticNode,
  AttributeNode,
  CallNode,
  CesqlNode,
  CesqlType,
  CesqlValue,
  ComparisonNode,
  ExistsNode,
  InNode,
  LikeNode,
  LogicNode,
} from './ast.ts';
import { builtinFunctions, builtinFunctionsUpstream } from './builtin-functions.ts';
import { castLike, toBoolean, toInteger, toText, typeOfValue, zeroOf } from './cast.ts';
import { clearFailure, fail, failure } from './failure.ts';
import type { BuiltinFunction, CesqlFunction, CesqlParameterType, FunctionTable } from './functions.ts';
import { compileLike, compileLikeUpstream } from './like.ts';

// Turns the tree into closures chosen by static type. Every closure returns a value of its type in any case, the zero value when
// it failed; `failure` says whether. An attribute's value has a type only at run time (`any`), everything else has a known one.

type Get<T> = (event: EventMessage) => T;

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
    const own = this.#own?.resolve(node.name, node.args.length);
    if (own !== undefined) return this.#callOwn(node, own);
    const definition = this.#builtin.resolve(node.name, node.args.length);
    if (definition === undefined) {
      return () => {
        fail('missingFunction', node, node.name);
        return false;
      };
    }
    const args = node.args.map((arg, index) => this.#argument(arg, definition.parameters[index] ?? definition.rest ?? 'any'));
    return callBuiltin(node, definition, args);
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

  #callOwn(node: CallNode, definition: CesqlFunction): Get<CesqlValue> {
    const args = node.args.map((arg, index) => this.#argument(arg, definition.parameters[index] ?? definition.rest ?? 'any'));
    const zero = zeroOf(definition.returns);
    return (event) => {
      const values = evaluateAll(args, event);
      return values === undefined ? zero : (runOwn(node, definition, values, event) ?? zero);
    };
  }
}

/** A call with as many arguments as there are; evaluation stops at the first one that fails. */
function callBuiltin(node: CallNode, definition: BuiltinFunction, args: readonly Get<CesqlValue>[]): Get<CesqlValue> {
  const { call, callAll } = definition;
  const zero = zeroOf(definition.returns);
  if (callAll !== undefined) {
    return (event) => {
      const values = evaluateAll(args, event);
      return values === undefined ? zero : callAll(values);
    };
  }
  const [first, second, third] = args;
  if (first === undefined) return () => call(node, false, false, false);
  if (second === undefined) {
    return (event) => {
      const a = first(event);
      return failure.kind === undefined ? call(node, a, false, false) : zero;
    };
  }
  return (event) => {
    const a = first(event);
    if (failure.kind !== undefined) return zero;
    const b = second(event);
    if (failure.kind !== undefined) return zero;
    const c = third === undefined ? false : third(event);
    return failure.kind === undefined ? call(node, a, b, c) : zero;
  };
}

/** The values of all arguments, `undefined` when one of them failed. */
function evaluateAll(args: readonly Get<CesqlValue>[], event: EventMessage): CesqlValue[] | undefined {
  const values: CesqlValue[] = [];
  for (const arg of args) {
    values.push(arg(event));
    if (failure.kind !== undefined) return undefined;
  }
  return values;
}

/** Runs a user's function; a throw or a wrong value is recorded and gives `undefined`. */
function runOwn(
  node: CallNode,
  definition: CesqlFunction,
  values: readonly CesqlValue[],
  event: EventMessage,
): CesqlValue | undefined {
  let value: CesqlValue;
  try {
    value = definition.run(values, event);
  } catch (error) {
    // The function may have evaluated an expression itself.
    clearFailure();
    fail('functionEvaluation', node, `${definition.name} threw ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  clearFailure();
  const right =
    definition.returns === 'integer'
      ? typeof value === 'number' && (value | 0) === value
      : typeof value === (definition.returns === 'string' ? 'string' : 'boolean');
  if (right) return value;
  fail('functionEvaluation', node, `${definition.name} did not return a value of type ${definition.returns}`);
  return undefined;
}

function bothIntegers(left: Get<number>, right: Get<number>, operate: (a: number, b: number) => number): Get<number> {
  return (event) => {
    const a = left(event);
    if (failure.kind !== undefined) return 0;
    const b = right(event);
    return failure.kind === undefined ? operate(a, b) : 0;
  };
}

function compareIntegers(left: Get<number>, right: Get<number>, compare: (a: number, b: number) => boolean): Get<boolean> {
  return (event) => {
    const a = left(event);
    if (failure.kind !== undefined) return false;
    const b = right(event);
    return failure.kind === undefined && compare(a, b);
  };
}

function divisionByZero(node: CesqlNode): number {
  fail('math', node, 'division by zero');
  return 0;
}

function canFailToCast(type: CesqlType | 'any'): boolean {
  return type === 'string' || type === 'any';
}

function canFailToEvaluate(node: CesqlNode): boolean {
  return node.kind !== 'literal' && node.kind !== 'exists';
}

/** Attributes of the specification, which are text when they are there. */
function isTextAttribute(name: string): boolean {
  switch (name) {
    case 'type':
    case 'source':
    case 'id':
    case 'specversion':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      return true;
    default:
      return false;
  }
}

function attributeValue(node: AttributeNode): Get<CesqlValue> {
  const name = node.name;
  switch (name) {
    case 'type':
      return (event) => event.type;
    case 'source':
      return (event) => event.source;
    case 'id':
      return (event) => event.id;
    case 'specversion':
      return (event) => event.specversion;
    case 'subject':
      return (event) => event.subject ?? missing(node);
  }
  if (isTextAttribute(name)) return (event) => valueOf(event.attribute(name), node);
  return (event) => {
    const value = event.extension(name);
    return typeof value === 'string' ? value : valueOf(value, node);
  };
}

/** A missing attribute alone is false beside the error, whatever its type would be. */
function missing(node: AttributeNode): false {
  fail('missingAttribute', node, node.name);
  return false;
}

function valueOf(value: AttributeValue | undefined, node: AttributeNode): CesqlValue {
  if (value === undefined) return missing(node);
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') : value;
}

function exists(node: ExistsNode): Get<boolean> {
  const name = node.name;
  if (name === 'subject') return (event) => event.subject !== undefined;
  return isTextAttribute(name) ? (event) => event.attribute(name) !== undefined : (event) => event.extension(name) !== undefined;
}

const scanMax = 8;

/** IN with literals only. Texts are cast beforehand, the other types, which are rare, at each evaluation. */
function inLiterals(operand: Get<CesqlValue>, literals: readonly CesqlValue[], node: InNode): Get<boolean> {
  const texts = literals.map(toText);
  const set = texts.length > scanMax ? new Set(texts) : undefined;
  return (event) => {
    const value = operand(event);
    if (failure.kind !== undefined) return false;
    if (typeof value !== 'string') return otherIn(value, literals, node);
    if (set !== undefined) return set.has(value);
    for (let i = 0; i < texts.length; i++) if (texts[i] === value) return true;
    return false;
  };
}

function otherIn(value: number | boolean, literals: readonly CesqlValue[], node: InNode): boolean {
  for (let i = 0; i < literals.length; i++) {
    const same = castLike(literals[i] ?? false, value, node.set[i] ?? node) === value;
    if (failure.kind !== undefined) return false;
    if (same) return true;
  }
  return false;
}
