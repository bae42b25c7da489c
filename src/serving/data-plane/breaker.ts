import { KnativeError } from '../../errors.ts';

export interface BreakerOptions {
  /** Requests that may wait beyond those that run. */
  readonly queueDepth: number;
  /** Most requests that ever run at once; together with `queueDepth` the number of slots. */
  readonly maxConcurrency: number;
  /** Requests that may run at once to begin with; default `maxConcurrency`. */
  readonly initialCapacity?: number;
}

/** A request in a breaker. */
export interface BreakerTicket {
  /** Called once when a waiting request gets its turn; not for one that ran at once. */
  granted(): void;
}

/**
 * Bounds how many requests run at once and how many wait. A request takes a slot or is turned away at once; in a slot it waits
 * for capacity, first come first served. Source: upstream's `pkg/queue/breaker.go`, whose waiters have no order.
 */
export interface Breaker {
  /** `running`: go ahead. `waiting`: `ticket.granted` tells when. `full`: turned away, nothing is held. */
  enter(ticket: BreakerTicket): 'running' | 'waiting' | 'full';
  /** Runs only if there is a free slot and free capacity now. */
  tryEnter(): boolean;
  /** Ends a running request. */
  leave(): void;
  /** Gives up a waiting request; false when it does not wait (any more). */
  cancel(ticket: BreakerTicket): boolean;
  /** Changes the capacity. More wakes waiters; less never interrupts. */
  resize(capacity: number): void;
  /**
   * Runs `work` in the breaker. Rejects with SERVING_QUEUE_FULL (status 503, upstream's text) or with the signal's reason when it
   * aborts while waiting.
   */
  run<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly capacity: number;
  readonly running: number;
  readonly waiting: number;
  /** Running and waiting together. */
  readonly inFlight: number;
}

/** Upstream's text for a request that finds no slot. */
export const queueFullText = 'pending request queue full';

export function createBreaker(options: BreakerOptions): Breaker {
  return new SlotBreaker(options);
}

/** The breaker of one instance as upstream's queue-proxy sizes it; `undefined` for unlimited (containerConcurrency 0). */
export function createInstanceBreaker(containerConcurrency: number): Breaker | undefined {
  if (containerConcurrency === 0) return undefined;
  return new SlotBreaker({ queueDepth: 10 * containerConcurrency, maxConcurrency: containerConcurrency });
}

class SlotBreaker implements Breaker {
  capacity: number;
  running = 0;
  readonly #slots: number;
  // A queue with lazily removed entries: cancelling is rare, entering and leaving must not search.
  #queue: (BreakerTicket | undefined)[] = [];
  #head = 0;
  #waiting = 0;
  #waking = false;

  constructor({ queueDepth, maxConcurrency, initialCapacity = maxConcurrency }: BreakerOptions) {
    requireCount('queueDepth', queueDepth, 0);
    requireCount('maxConcurrency', maxConcurrency, 0);
    requireCount('initialCapacity', initialCapacity, 0);
    if (initialCapacity > maxConcurrency) {
      throw optionError('initialCapacity', `must not exceed maxConcurrency ${maxConcurrency}, got ${initialCapacity}`);
    }
    this.#slots = queueDepth + maxConcurrency;
    this.capacity = initialCapacity;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get inFlight(): number {
    return this.running + this.#waiting;
  }

  enter(ticket: BreakerTicket): 'running' | 'waiting' | 'full' {
    if (this.running + this.#waiting >= this.#slots) return 'full';
    if (this.running < this.capacity) {
      this.running++;
      return 'running';
    }
    this.#queue.push(ticket);
    this.#waiting++;
    return 'waiting';
  }

  tryEnter(): boolean {
    if (this.running >= this.capacity || this.running + this.#waiting >= this.#slots) return false;
    this.running++;
    return true;
  }

  leave(): void {
    if (this.running === 0) throw new KnativeError('SERVING_BREAKER_MISUSE', 'leave without a running request');
    this.running--;
    if (this.#waiting > 0 && !this.#waking) this.#wake();
  }

  cancel(ticket: BreakerTicket): boolean {
    const at = this.#queue.indexOf(ticket, this.#head);
    if (at < 0) return false;
    this.#queue[at] = undefined;
    this.#waiting--;
    return true;
  }

  resize(capacity: number): void {
    requireCount('capacity', capacity, 0);
    this.capacity = capacity;
    if (!this.#waking) this.#wake();
  }

  async run<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const ticket = new PromiseTicket();
    const state = this.enter(ticket);
    if (state === 'full') throw new KnativeError('SERVING_QUEUE_FULL', queueFullText, { status: 503 });
    if (state === 'waiting') await this.#turn(ticket, signal);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  async #turn(ticket: PromiseTicket, signal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => {
      if (this.cancel(ticket)) ticket.refused(signal?.reason);
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await ticket.turn;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #wake(): void {
    // Whoever gets its turn may be done at once and leave within the call: the loop goes on for it.
    this.#waking = true;
    try {
      while (this.#waiting > 0 && this.running < this.capacity) {
        const ticket = this.#queue[this.#head];
        this.#queue[this.#head++] = undefined;
        if (ticket !== undefined) {
          this.#waiting--;
          this.running++;
          ticket.granted();
        }
      }
    } finally {
      this.#waking = false;
    }
    if (this.#waiting === 0) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

class PromiseTicket implements BreakerTicket {
  granted: () => void = () => undefined;
  refused: (reason: unknown) => void = () => undefined;
  readonly turn = new Promise<void>((resolve, reject) => {
    this.granted = resolve;
    this.refused = reject;
  });
}

function requireCount(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw optionError(name, `must be an integer of at least ${least}, got ${value}`);
}

function optionError(path: string, message: string): KnativeError {
  return new KnativeError('SERVING_OPTION_INVALID', `${path} ${message}`, { path });
}
