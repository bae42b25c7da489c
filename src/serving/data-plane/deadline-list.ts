import type { Clock } from '../../clock.ts';

/** Who is told that a deadline has passed. */
export interface DeadlineOwner {
  expired(deadline: Deadline): void;
}

/** A place in a deadline list. */
export class Deadline {
  dueMs = 0;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  list: DeadlineList | undefined;
  readonly owner: DeadlineOwner;

  constructor(owner: DeadlineOwner) {
    this.owner = owner;
  }

  /** Takes it off its list, if it is on one. */
  clear(): void {
    this.list?.remove(this);
  }
}

/**
 * Deadlines that are all the same time away, so that they fall due in the order they were set: setting, restarting and clearing
 * one costs a few pointer writes, and only the first has a timer of the clock.
 */
export class DeadlineList {
  readonly durationMs: number;
  readonly #clock: Clock;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: Disposable | undefined;

  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock;
    this.durationMs = durationMs;
  }

  /** Sets the deadline `durationMs` from now; one that is set already starts over. */
  start(deadline: Deadline, nowMs: number = this.#clock.monotonic()): void {
    if (deadline.list !== undefined) deadline.list.remove(deadline);
    deadline.list = this;
    deadline.dueMs = nowMs + this.durationMs;
    deadline.previous = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    this.#timer ??= this.#clock.setTimer(this.durationMs, () => this.#fire());
  }

  remove(deadline: Deadline): void {
    if (deadline.list !== this) return;
    if (deadline.previous === undefined) this.#first = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === undefined) this.#last = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.list = undefined;
    deadline.previous = undefined;
    deadline.next = undefined;
    // The timer stays: it is re-armed for the deadline that is first by then, or ends.
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (;;) {
      const first = this.#first;
      if (first === undefined) return;
      // Timers of the machine may fire a little early.
      if (first.dueMs > nowMs + 0.5) {
        this.#timer = this.#clock.setTimer(first.dueMs - nowMs, () => this.#fire());
        return;
      }
      this.remove(first);
      first.owner.expired(first);
    }
  }
}
