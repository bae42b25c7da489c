import type { RevisionKey } from '../serving/index.ts';
import type { Clock } from '../clock.ts';

/** Reconcilers on the way from a waiting request to an instance. */
const onTheWay: ReadonlySet<string> = new Set(['kpa-class-podautoscaler', 'deployment']);
const boundMs = 25;

interface Precedence {
  readonly fromMs: number;
  readonly until: Promise<void>;
  readonly end: () => void;
  readonly bound: Disposable;
}

/**
 * Lets the first request of a start from zero go before the bookkeeping that the start causes: while it waits, only reconcilers that
 * bring its instance about run; from the instance being ready to the first byte of the answer none does. Status of objects comes a
 * few milliseconds later, after at most 25 ms. Reconcilers then have as long to themselves, so that many starts never take more than half
 * of their time.
 */
export class StartPrecedence {
  readonly #clock: Clock;
  /** Revisions that start, and whether they have an instance already. */
  readonly #starts = new Map<RevisionKey, boolean>();
  #precedence: Precedence | undefined;
  #notBeforeMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request found no instance. */
  requested(revision: RevisionKey): void {
    if (this.#precedence === undefined) {
      const nowMs = this.#clock.monotonic();
      if (nowMs < this.#notBeforeMs) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#precedence = {
        fromMs: nowMs,
        until: promise,
        end: resolve,
        bound: this.#clock.setTimer(boundMs, () => this.#end()),
      };
    }
    this.#starts.set(revision, false);
  }

  /** An instance of the revision takes requests. */
  ready(revision: RevisionKey): void {
    if (this.#starts.has(revision)) this.#starts.set(revision, true);
  }

  /** The revision has answered, or is gone. */
  answered(revision: RevisionKey): void {
    if (this.#starts.delete(revision) && this.#starts.size === 0) this.#end();
  }

  /** What a reconciler has to wait for before its next pass. */
  before(reconciler: string): Promise<void> | undefined {
    if (this.#precedence === undefined || (onTheWay.has(reconciler) && this.#isWaitingForInstances())) return undefined;
    return this.#precedence.until;
  }

  #isWaitingForInstances(): boolean {
    for (const hasInstance of this.#starts.values()) if (!hasInstance) return true;
    return false;
  }

  #end(): void {
    const precedence = this.#precedence;
    this.#precedence = undefined;
    this.#starts.clear();
    if (precedence === undefined) return;
    const nowMs = this.#clock.monotonic();
    this.#notBeforeMs = nowMs + (nowMs - precedence.fromMs);
    precedence.bound[Symbol.dispose]();
    precedence.end();
  }
}
