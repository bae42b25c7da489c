import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** What functions gave to `waitUntil`: counted, and failures logged. */
export class BackgroundWork {
  readonly #logger: Logger;
  readonly #onChange: ((count: number) => void) | undefined;
  readonly #pending = new Set<Promise<void>>();

  constructor(logger: Logger, onChange: ((count: number) => void) | undefined) {
    this.#logger = logger;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(work: Promise<unknown>): void {
    const watched = work.then(
      () => undefined,
      (error: unknown) => this.#logger.error({ err: messageOf(error) }, 'background work of a function failed'),
    );
    this.#pending.add(watched);
    this.#onChange?.(this.#pending.size);
    void watched.then(() => {
      this.#pending.delete(watched);
      this.#onChange?.(this.#pending.size);
    });
  }

  /** Resolves when what is pending now has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }
}
