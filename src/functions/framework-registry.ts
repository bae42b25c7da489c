import { KnativeError } from '../errors.ts';

/** How a function is called: `(req, res)`, `(data, context)` or `(cloudEvent)`. */
export type SignatureType = 'http' | 'event' | 'cloudevent';

export const signatureTypes: readonly SignatureType[] = ['http', 'event', 'cloudevent'];

export interface RegisteredFunction {
  readonly signatureType: SignatureType;
  readonly userFunction: (...values: never[]) => unknown;
}

const registered = new Map<string, RegisteredFunction>();
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
