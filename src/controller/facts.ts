import type { FactRequest } from '../api/reconciler.ts';
import { KnativeError } from '../errors.ts';

/**
 * Answers one sort of question about the world outside of the store. `read` returns what is known now and starts whatever I/O it
 * takes to know more; when an answer changes the provider calls `changed`, which it got at registration.
 */
export interface FactProvider<T = unknown, P = unknown> {
  read(key: string, params: P): T | undefined;
  /** Nobody asks for `key` any more: stop working on it. */
  forget?(key: string): void;
}

/** The providers by name. One that is asked for but missing is a wiring error and throws CONTROLLER_NO_FACT_PROVIDER. */
export class FactRegistry {
  readonly #providers = new Map<string, FactProvider>();
  readonly #listeners = new Set<(provider: string, key: string) => void>();

  /** Registers a provider made by `create`, which gets the function to call when the answer for a key has changed. */
  provide<T, P>(name: string, create: (changed: (key: string) => void) => FactProvider<T, P>): void {
    if (this.#providers.has(name))
      throw new KnativeError('CONTROLLER_DUPLICATE_FACT_PROVIDER', `fact provider ${name} is registered twice`);
    const provider = create((key) => {
      for (const listener of this.#listeners) listener(name, key);
    });
    this.#providers.set(name, provider as FactProvider);
  }

  read<T>(request: FactRequest<T>): T | undefined {
    const provider = this.#providers.get(request.provider);
    if (provider === undefined) {
      throw new KnativeError('CONTROLLER_NO_FACT_PROVIDER', `no provider for facts of ${JSON.stringify(request.provider)}`, {
        hint: 'register one with facts.provide() before the controller starts',
      });
    }
    return provider.read(request.key, request.params) as T | undefined;
  }

  forget(name: string, key: string): void {
    this.#providers.get(name)?.forget?.(key);
  }

  /** Calls `listener` whenever an answer has changed. */
  onChanged(listener: (provider: string, key: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
