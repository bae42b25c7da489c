import type { Clock } from '../../clock.ts';

/**
 * The quiet period before a proxy stops: probes fail at once, so that no new requests are sent here, and each request that still
 * comes starts the period over. Source: `network/handlers/drain.go` of knative/pkg.
 */
export class Drainer {
  readonly #clock: Clock;
  readonly #quietPeriodMs: number;
  #timer: Disposable | undefined;
  #waiters: (() => void)[] = [];
  #draining = false;

  constructor(clock: Clock, quietPeriodMs: number) {
    this.#clock = clock;
    this.#quietPeriodMs = quietPeriodMs;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when a whole quiet period has passed without a request. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true;
      this.#restart();
    } else if (this.#timer === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Takes a drain back; those who wait for its end are let go. */
  reset(): void {
    this.#draining = false;
    this.#end();
  }

  /** Called for each request that is no probe. */
  arrived(): void {
    if (this.#timer !== undefined) this.#restart();
  }

  #restart(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.setTimer(this.#quietPeriodMs, () => this.#end());
  }

  #end(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
