import type { CesqlNode } from './ast.ts';
import { fail, failure } from './failure.ts';
import type { Get } from './getter.ts';

/** An operation on two integers, each evaluated unless the one before failed. */
export function bothIntegers(left: Get<number>, right: Get<number>, operate: (a: number, b: number) => number): Get<number> {
  return (event) => {
    const a = left(event);
    if (failure.kind !== undefined) return 0;
    const b = right(event);
    return failure.kind === undefined ? operate(a, b) : 0;
  };
}

/** A comparison of two integers. */
export function compareIntegers(left: Get<number>, right: Get<number>, compare: (a: number, b: number) => boolean): Get<boolean> {
  return (event) => {
    const a = left(event);
    if (failure.kind !== undefined) return false;
    const b = right(event);
    return failure.kind === undefined && compare(a, b);
  };
}

/** Records the error; its value is 0. */
export function divisionByZero(node: CesqlNode): number {
  fail('math', node, 'division by zero');
  return 0;
}
