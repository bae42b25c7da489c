import { KnativeError } from '../errors.ts';

/** How a function is called: `(req, res)`, `(data, context)` or `(cloudEvent)`. */
export type SignatureType = 'http' | 'event' | 'cloudevent';

export const signatureTypes: readonly SignatureType[] = ['http', 'event', 'cloudevent'];

export interface RegisteredFunction {
  readonly signatureType: SignatureType;
  readonly userFunction: (...values: never[]) => unknown;
}

// The build may hold this module twice (an entry and its chunk): the table is the thread's.
const tableKey = Symbol.for('knative-embed.framework-functions');
const holder = globalThis as { [tableKey]?: Map<string, RegisteredFunction> };
const registered: Map<string, RegisteredFunction> = (holder[tableKey] ??= new Map());

const namePattern = /^[A-Za-z](?:[-_A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

export function register(name: string, signatureType: SignatureType, userFunction: (...values: never[]) => unknown): void {
  if (!namePattern.test(name)) {
    throw new KnativeError('FUNCTIONS_NAME_INVALID', `Invalid function name: ${name}`, {
      path: 'name',
      hint: 'a name starts with a letter, has letters, digits, - and _, and at most 63 characters',
    });
  }
  registered.set(name, { signatureType, userFunction });
}

/** A function registered in code, by name. */
export function registeredFunction(name: string): RegisteredFunction | undefined {
  return registered.get(name);
}

/** The only function that is registered; `undefined` when there are none or several. */
export function onlyRegistered(): RegisteredFunction | undefined {
  return registered.size === 1 ? [...registered.values()][0] : undefined;
}
