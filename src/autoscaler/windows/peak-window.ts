import { MaxWindow } from './max-window.ts';
import { bucketsOf, checkTime, checkValue, type Window } from './window.ts';

/**
 * The highest bucket of the window: values of one bucket add up, then the largest sum counts. `average` is that peak. Late records
 * count towards the current bucket when they belong to it and are dropped otherwise: a peak that is over cannot be corrected.
 */
export class PeakWindow implements Window {
  windowMs: number;
  readonly #bucketMs: number;
  #peaks: MaxWindow;
  #length: number;
  #last = -Infinity;
  #sum = 0;

  constructor(windowMs: number, bucketMs = 1_000) {
    bucketsOf(windowMs, bucketMs);
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#peaks = new MaxWindow(windowMs, bucketMs);
    this.#length = windowMs / bucketMs;
  }

  record(nowMs: number, value: number): void {
    checkValue(nowMs, value);
    this.add(nowMs, value);
  }

  add(nowMs: number, value: number): void {
    checkTime(nowMs);
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket < this.#last) return;
    this.#sum = bucket === this.#last ? this.#sum + value : value;
    this.#last = bucket;
    this.#peaks.record(nowMs, this.#sum);
  }

  average(nowMs: number): number {
    return this.isEmpty(nowMs) ? 0 : this.#peaks.currentAt(nowMs);
  }

  isEmpty(nowMs: number): boolean {
    return Math.floor(nowMs / this.#bucketMs) - this.#last > this.#length;
  }

  /** Starts anew with the current peak as its only value: what led to it is not kept. */
  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    bucketsOf(windowMs, this.#bucketMs);
    const peak = this.average(nowMs);
    this.windowMs = windowMs;
    this.#length = windowMs / this.#bucketMs;
    this.#peaks = new MaxWindow(windowMs, this.#bucketMs);
    if (this.#last !== -Infinity) this.#peaks.record(this.#last * this.#bucketMs, peak);
  }
}
