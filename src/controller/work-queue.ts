import type { Clock } from '../clock.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Handles one key; never runs twice at once for the same key. A rejection counts as failure. */
  readonly process: (key: string) => Promise<void>;
  /** Called with what `process` threw, after which the key waits for its back-off. */
  readonly onError: (key: string, error: unknown, retryAfterMs: number) => void;
  /** Keys handled at the same time; default 1. */
  readonly concurrency?: number;
  /** First wait after a failure, doubled by each further one up to the maximum. Defaults 5 ms and 1,000 s, as client-go. */
  readonly backoffBaseMs?: number;
  readonly backoffMaxMs?: number;
  /** Asked before each key: a promise while something else has precedence. */
  readonly pause?: () => Promise<void> | undefined;
  /** Asked between keys: a promise when other work of the process should have its turn first. */
  readonly yieldTurn?: () => Promise<void> | undefined;
}

/**
 * Keys waiting to be handled: each at most once, one handler per key, failed ones with exponential back-off, others after a wanted
 * time. Time comes from the clock.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { dueMs: number; timer: Disposable }>();
  readonly #failures = new Map<string, number>();
  #workers = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys waiting now, without those that wait for a time. */
  get depth(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#wake();
  }

  /** Adds the key after `delayMs`; an earlier wait for the same key stays. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#options.clock.monotonic() + delayMs;
    const waiting = this.#later.get(key);
    if (waiting !== undefined && waiting.dueMs <= dueMs) return;
    waiting?.timer[Symbol.dispose]();
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { dueMs, timer });
  }

  /** Stops taking keys and resolves when the running handlers are done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready.clear();
    for (const { timer } of this.#later.values()) timer[Symbol.dispose]();
    this.#later.clear();
    if (this.#workers > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wake(): void {
    if (this.#workers >= (this.#options.concurrency ?? 1)) return;
    this.#workers++;
    void this.#work();
  }

  async #work(): Promise<void> {
    // A burst of adds in one turn becomes one pass per key.
    await Promise.resolve();
    while (this.#ready.size > 0) {
      const pause = this.#options.pause?.();
      if (pause !== undefined) {
        await pause;
        continue;
      }
      const key = this.#ready.values().next().value;
      if (key === undefined) break;
      this.#ready.delete(key);
      await this.#handle(key);
      const turn = this.#options.yieldTurn?.();
      if (turn !== undefined) await turn;
    }
    this.#workers--;
    if (this.#workers === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #handle(key: string): Promise<void> {
    this.#running.add(key);
    try {
      await this.#options.process(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      const base = this.#options.backoffBaseMs ?? 5;
      const retryAfterMs = Math.min(base * 2 ** Math.min(failures, 40), this.#options.backoffMaxMs ?? 1_000_000);
      this.#options.onError(key, error, retryAfterMs);
      this.addAfter(key, retryAfterMs);
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.add(key);
    }
  }
}
