import type { EventMessage } from '../event-message.ts';
import type { CallNode, CesqlValue } from './ast.ts';
import { zeroOf } from './cast.ts';
import { clearFailure, fail, failure } from './failure.ts';
import type { BuiltinFunction, CesqlFunction } from './functions.ts';
import type { Get } from './getter.ts';

/** A call with as many arguments as there are; evaluation stops at the first one that fails. */
export function callBuiltin(node: CallNode, definition: BuiltinFunction, args: readonly Get<CesqlValue>[]): Get<CesqlValue> {
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

/** A call of a user's function. */
export function callOwn(node: CallNode, definition: CesqlFunction, args: readonly Get<CesqlValue>[]): Get<CesqlValue> {
  const zero = zeroOf(definition.returns);
  return (event) => {
    const values = evaluateAll(args, event);
    return values === undefined ? zero : (runOwn(node, definition, values, event) ?? zero);
  };
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
