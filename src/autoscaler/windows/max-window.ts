/**
 * The largest value of the last `ceil(duration / bucket)` slots, the current one included: upstream's scale-down-delay window.
 * A queue of falling values in typed arrays; constant amortised time, nothing allocated per record. Times must not go back; a
 * time that does counts as the latest one.
 */
export class MaxWindow {
  readonly #bucketMs: number;
  readonly #values: Float64Array;
  readonly #slots: Float64Array;
  #first = 0;
  #count = 0;
  #latest = -Infinity;

  constructor(durationMs: number, bucketMs: number) {
    const size = Math.max(1, Math.ceil(durationMs / bucketMs));
    this.#bucketMs = bucketMs;
    this.#values = new Float64Array(size);
    this.#slots = new Float64Array(size);
  }

  record(nowMs: number, value: number): void {
    const size = this.#values.length;
    const slot = Math.max(this.#latest, Math.floor(nowMs / this.#bucketMs));
    this.#latest = slot;
    // A value that is not larger and older can never be the maximum again.
    while (this.#count > 0 && value >= this.#valueAt(this.#count - 1)) this.#count--;
    while (this.#count > 0 && slot - (this.#slots[this.#first] ?? 0) >= size) {
      this.#count--;
      if (++this.#first === size) this.#first = 0;
    }
    // A larger value of the same slot stays: it covers the new one for as long as that one would count.
    if (this.#count > 0 && this.#slots[this.#indexOf(this.#count - 1)] === slot) return;
    const index = this.#indexOf(this.#count);
    this.#values[index] = value;
    this.#slots[index] = slot;
    this.#count++;
  }

  /** The maximum as of the last record; 0 before any. */
  current(): number {
    return this.#values[this.#first] ?? 0;
  }

  /** The maximum as of `nowMs`: slots that have left the window no longer count; 0 when none is left. */
  currentAt(nowMs: number): number {
    const now = Math.floor(nowMs / this.#bucketMs);
    for (let offset = 0; offset < this.#count; offset++) {
      if (now - (this.#slots[this.#indexOf(offset)] ?? 0) < this.#values.length) return this.#valueAt(offset);
    }
    return 0;
  }

  #indexOf(offset: number): number {
    const index = this.#first + offset;
    return index >= this.#values.length ? index - this.#values.length : index;
  }

  #valueAt(offset: number): number {
    return this.#values[this.#indexOf(offset)] ?? 0;
  }
}
