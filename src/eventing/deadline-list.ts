import type { Clock } from '../clock.ts';

/** What can be on a deadline list: the list's links live in it, so that setting and clearing allocate nothing. */
export abstract class Deadline {
  deadlineMs = 0;
  previousDeadline: Deadline | undefined;
  nextDeadline: Deadline | undefined;
  deadlineSet = false;
  /** The deadline has passed; it is off the list. */
  abstract expired(): void;
}

/** Deadlines that are all the same time away, so that they fall due in order: one timer for all. */
export class DeadlineList {
  readonly #clock: Clock;
  readonly #durationMs: number;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: Disposable | undefined;

  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  /** `nowMs` is the clock's monotonic time, read once for all deadlines of a turn. */
  set(deadline: Deadline, nowMs: number): void {
    deadline.deadlineSet = true;
    deadline.deadlineMs = nowMs + this.#durationMs;
    deadline.previousDeadline = this.#last;
    deadline.nextDeadline = undefined;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.nextDeadline = deadline;
    this.#last = deadline;
    this.#timer ??= this.#clock.setTimer(this.#durationMs, () => this.#fire());
  }

  clear(deadline: Deadline): void {
    if (!deadline.deadlineSet) return;
    deadline.deadlineSet = false;
    const { previousDeadline, nextDeadline } = deadline;
    if (previousDeadline === undefined) this.#first = nextDeadline;
    else previousDeadline.nextDeadline = nextDeadline;
    if (nextDeadline === undefined) this.#last = previousDeadline;
    else nextDeadline.previousDeadline = previousDeadline;
    deadline.previousDeadline = undefined;
    deadline.nextDeadline = undefined;
  }

  /** Stops the timer; nothing on the list expires any more. */
  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (let first = this.#first; first !== undefined && first.deadlineMs <= nowMs; first = this.#first) {
      this.clear(first);
      first.expired();
    }
    // An empty list keeps no timer: the next deadline sets one, at most once per duration.
    if (this.#first !== undefined) {
      this.#timer ??= this.#clock.setTimer(Math.max(1, this.#first.deadlineMs - nowMs), () => this.#fire());
    }
  }
}
