/**
 * The largest value of the last `ceil(duration / bucket)` slots, the current one included: upstream's scale-down-delay window.
 * A queue of falling values in typed arrays; constant amortised time, nothing allocated per record. Times must not go back; a
 * time that does counts as the latest one.
 */
export class MaxWindow {
  readonly #bucketMs: number;
  readonly #values: Float64Array;
  /** Start of each value's slot. */
  readonly #times: Float64Array;
  #first = 0;
  #count = 0;
  #latestMs = -Infinity;

  constructor(durationMs: number, bucketMs: number) {
    const size = Math.max(1, Math.ceil(durationMs / bucketMs));
    this.#bucketMs = bucketMs;
    this.#values = new Float64Array(size);
    this.#times = new Float64Array(size);
  }

  record(nowMs: number, value: number): void {
    const bucketMs = this.#bucketMs;
    const values = this.#values;
    const size = values.length;
    if (nowMs - this.#latestMs >= bucketMs) {
      this.#latestMs = Math.floor(nowMs / bucketMs) * bucketMs;
      this.#dropOlderThan(this.#latestMs - (size - 1) * bucketMs);
    }
    let last = this.#first + this.#count - 1;
    if (last >= size) last -= size;
    // A value that is not larger and older can never be the maximum again.
    while (this.#count > 0 && value >= (values[last] ?? 0)) {
      this.#count--;
      last = last === 0 ? size - 1 : last - 1;
    }
    // A larger value of the same slot stays: it covers the new one for as long as that one would count.
    if (this.#count > 0 && this.#times[last] === this.#latestMs) return;
    last = last + 1 === size ? 0 : last + 1;
    if (this.#count === 0) last = this.#first;
    values[last] = value;
    this.#times[last] = this.#latestMs;
    this.#count++;
  }

  #dropOlderThan(oldestMs: number): void {
    while (this.#count > 0 && (this.#times[this.#first] ?? 0) < oldestMs) {
      this.#count--;
      if (++this.#first === this.#values.length) this.#first = 0;
    }
  }

  /** The maximum as of the last record; 0 before any. */
  current(): number {
    return this.#values[this.#first] ?? 0;
  }

  /** The maximum as of `nowMs`: slots that have left the window no longer count; 0 when none is left. */
  currentAt(nowMs: number): number {
    const size = this.#values.length;
    const oldestMs = (Math.floor(nowMs / this.#bucketMs) - (size - 1)) * this.#bucketMs;
    for (let offset = 0; offset < this.#count; offset++) {
      const index = (this.#first + offset) % size;
      if ((this.#times[index] ?? 0) >= oldestMs) return this.#values[index] ?? 0;
    }
    return 0;
  }
}
