import type { EventMessage } from '../event-message.ts';
import { KnativeError } from '../../errors.ts';
import type { CesqlNode, CesqlType, CesqlValue } from './ast.ts';

/** What a function can ask of an argument: one of the types (the argument is cast to it), or `any` (it comes as it is). */
export type CesqlParameterType = CesqlType | 'any';

/** A function that expressions can call. */
export interface CesqlFunction {
  /** Letters and underscores; calls are case-insensitive. */
  readonly name: string;
  readonly parameters: readonly CesqlParameterType[];
  /** Type of further arguments, any number of them. Default: none are taken. */
  readonly rest?: CesqlParameterType;
  readonly returns: CesqlType;
  /**
   * Computes the value. A throw, or a value of another type than `returns`, is a functionEvaluation error with the zero value.
   * Must be pure and quick: it runs for every event that gets as far.
   */
  readonly run: (args: readonly CesqlValue[], event: EventMessage) => CesqlValue;
}

/** A built-in function: errors are recorded for the node. */
export interface BuiltinFunction {
  readonly name: string;
  readonly parameters: readonly CesqlParameterType[];
  readonly rest?: CesqlParameterType;
  readonly returns: CesqlType;
  /** With the arguments one by one: no array is made for a call. */
  readonly call: (node: CesqlNode, first: CesqlValue, second: CesqlValue, third: CesqlValue) => CesqlValue;
  /** Instead of `call` when any number of arguments is taken. */
  readonly callAll?: (args: readonly CesqlValue[]) => CesqlValue;
}

interface Overloads<F> {
  readonly byArity: Map<number, F>;
  variadic: F | undefined;
}

/** Functions by name and number of arguments: a fixed number goes before any number. */
export class FunctionTable<F extends { name: string; parameters: readonly unknown[]; rest?: unknown }> {
  readonly #byName = new Map<string, Overloads<F>>();

  constructor(functions: readonly F[]) {
    for (const item of functions) this.#add(item);
  }

  #add(item: F): void {
    if (!/^[A-Za-z][A-Za-z_]*$/.test(item.name)) throw refused(item.name, 'its name must be letters and underscores');
    const name = item.name.toUpperCase();
    const overloads = this.#byName.get(name) ?? { byArity: new Map<number, F>(), variadic: undefined };
    this.#byName.set(name, overloads);
    const arity = item.parameters.length;
    if (item.rest === undefined) {
      if (overloads.byArity.has(arity)) throw refused(name, `there is one with ${arity} parameters already`);
      overloads.byArity.set(arity, item);
      return;
    }
    if (overloads.variadic !== undefined) throw refused(name, 'there is one with any number of parameters already');
    if ([...overloads.byArity.keys()].some((other) => other >= arity)) {
      throw refused(name, `there is one with at least ${arity} parameters already`);
    }
    overloads.variadic = item;
  }

  /** The function for a call, `undefined` when there is none. `name` in upper case. */
  resolve(name: string, argumentCount: number): F | undefined {
    const overloads = this.#byName.get(name);
    if (overloads === undefined) return undefined;
    const fixed = overloads.byArity.get(argumentCount);
    if (fixed !== undefined) return fixed;
    const variadic = overloads.variadic;
    return variadic !== undefined && variadic.parameters.length <= argumentCount ? variadic : undefined;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

function refused(name: string, why: string): KnativeError {
  return new KnativeError('CLOUDEVENTS_CESQL_FUNCTION', `cannot add the CESQL function ${name}: ${why}`, { path: name });
}
