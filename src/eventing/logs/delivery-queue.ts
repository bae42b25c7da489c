import type { Clock } from '../../clock.ts';
import { KnativeError } from '../../errors.ts';
import type { ConsumeOptions, LogConsumer, LogDelivery } from '../log.ts';

/** A delivery with its place in the order of its trigger. */
export interface QueuedDelivery extends LogDelivery {
  readonly ordinal: number;
  attempt: number;
}

/** Taken events at the front of the queue before it is compacted by copying. */
const compactAt = 1_024;

/**
 * What of one trigger is at hand, and its consumer: the part of `LogTrigger` that every driver with a server or a file behind it shares.
 * Deliveries given back go first, in order.
 */
export class DeliveryQueue<D extends QueuedDelivery> {
  readonly #clock: Clock;
  readonly #name: string;
  /** Called when a consumer has come and after each delivery handed out: the driver may fetch more. */
  readonly #wanted: (prefetch: number) => void;
  #waiting: D[] = [];
  #head = 0;
  readonly #again: D[] = [];
  readonly #inHand = new Set<D>();
  readonly #delayed = new Set<Disposable>();
  #consumer: ConsumeOptions | undefined;
  #hungry = false;

  constructor(name: string, clock: Clock, wanted: (prefetch: number) => void) {
    this.#name = name;
    this.#clock = clock;
    this.#wanted = wanted;
  }

  /** At hand and not handed out. */
  get ready(): number {
    return this.#waiting.length - this.#head + this.#again.length;
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  /** How far the consumer wants it fetched ahead, 0 without one. */
  get prefetch(): number {
    return this.#consumer?.prefetch ?? 0;
  }

  /** The oldest that is not settled, of those that were pushed. */
  get oldest(): D | undefined {
    let oldest = this.#again[0] ?? this.#waiting[this.#head];
    for (const delivery of this.#inHand) if (oldest === undefined || delivery.ordinal < oldest.ordinal) oldest = delivery;
    return oldest;
  }

  push(delivery: D): void {
    this.#waiting.push(delivery);
    if (this.#hungry) this.#tell();
  }

  #tell(): void {
    this.#hungry = false;
    this.#consumer?.onReady();
  }

  consume(options: ConsumeOptions): LogConsumer {
    if (this.#consumer !== undefined) {
      const message = `trigger ${JSON.stringify(this.#name)} has a consumer already`;
      throw new KnativeError('EVENTING_LOG_CONSUMED', message, { path: this.#name });
    }
    this.#consumer = options;
    this.#hungry = true;
    if (this.ready > 0) this.#tell();
    this.#wanted(options.prefetch);
    return {
      next: () => (this.#consumer === options ? this.#next(options) : undefined),
      close: () => {
        if (this.#consumer === options) this.stop();
      },
    };
  }

  #next(options: ConsumeOptions): D | undefined {
    const delivery = this.#again.shift() ?? this.#waiting[this.#head];
    if (delivery === undefined) {
      this.#waiting.length = 0;
      this.#head = 0;
      this.#hungry = true;
      this.#wanted(options.prefetch);
      return undefined;
    }
    if (delivery === this.#waiting[this.#head]) this.#head++;
    if (this.#head >= compactAt && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    this.#inHand.add(delivery);
    delivery.attempt++;
    this.#wanted(options.prefetch);
    return delivery;
  }

  /** The delivery is done. False when it was not in hand. */
  settle(delivery: D): boolean {
    if (this.#inHand.delete(delivery)) return true;
    const at = this.#again.indexOf(delivery);
    if (at >= 0) this.#again.splice(at, 1);
    return at >= 0;
  }

  giveBack(delivery: D, delayMs: number): void {
    if (!this.#inHand.has(delivery)) return;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(timer);
      if (!this.#inHand.delete(delivery)) return;
      this.#again.push(delivery);
      if (this.#hungry) this.#tell();
    });
    this.#delayed.add(timer);
  }

  /** Ends the consumer; what it has in hand is at hand again. */
  stop(): void {
    this.#consumer = undefined;
    this.#hungry = false;
    for (const timer of this.#delayed) timer[Symbol.dispose]();
    this.#delayed.clear();
    this.#again.push(...this.#inHand);
    this.#inHand.clear();
    this.#again.sort((a, b) => a.ordinal - b.ordinal);
  }

  /** Drops what is at hand and in hand. */
  clear(): void {
    this.#again.length = 0;
    this.#waiting.length = 0;
    this.#head = 0;
    this.#inHand.clear();
  }

  /** Drops the newest that are not handed out, down to `keep`; returns the oldest dropped. */
  trim(keep: number): D | undefined {
    if (this.#waiting.length - this.#head <= keep) return undefined;
    return this.#waiting.splice(this.#head + keep)[0];
  }
}
