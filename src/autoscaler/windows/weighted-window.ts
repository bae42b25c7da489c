import { bucketsOf, bucketsSince, checkTime, checkValue, forever, type Window } from './window.ts';

const weightPrecision = 1e-4;
const smoothingMin = 0.2;
/** Below this the products reach numbers without full precision, where only upstream's own order of operations gives its bits. */
const precisionLoss = 1e-280;

/**
 * The exponentially weighted sum of upstream's `WeightedFloat64Buckets`: m for the newest bucket, m(1-m) for the one before and so
 * on over the window, m = max(1 - 0.0001^(1/n), 0.2). Not divided by the weights; seconds without a record count as 0.
 *
 * Upstream adds up all buckets for every read. This keeps two partial sums instead: suffix sums of the older part of the window,
 * made once per turn of the ring, and one running sum of what came after. A read is one multiplication and one addition, and
 * nothing is ever subtracted, so no residue of old values can stay behind. Where signs are mixed or the result is smaller than
 * doubles can hold precisely, the read adds up all buckets.
 */
export class WeightedWindow implements Window {
  windowMs: number;
  readonly #bucketMs: number;
  /**
   * The ring of buckets, and behind it, at the same places, the suffix sums: for a bucket t of the older part the sum of
   * decay^(pivot-t') × value for t <= t' <= pivot, where the pivot is the last bucket of the older part.
   */
  #cells: Float64Array;
  /** Number of buckets. */
  #count: number;
  #length: number;
  #smoothing: number;
  #decay: number;
  /** Start of the newest bucket. */
  #lastMs = -Infinity;
  /** Ring index of the newest bucket. */
  #position = 0;
  /** Buckets from the pivot to the newest one; `forever` when the suffix sums have to be made anew. */
  #pivotAge = forever;
  /** decay^pivotAge. */
  #pivotWeight = 1;
  /** Sum of decay^age × value between the pivot and the newest bucket, both left out. */
  #recent = 0;
  /** Buckets since the last record that was not 0, and since the last negative one. */
  #sinceNonZero = forever;
  #sinceNegative = forever;

  constructor(windowMs: number, bucketMs = 1_000) {
    const count = bucketsOf(windowMs, bucketMs);
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#cells = new Float64Array(2 * count);
    this.#count = count;
    this.#length = windowMs / bucketMs;
    this.#smoothing = smoothingFor(count);
    this.#decay = 1 - this.#smoothing;
  }

  record(nowMs: number, value: number): void {
    checkValue(nowMs, value);
    this.add(nowMs, value);
  }

  add(nowMs: number, value: number): void {
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (age > 0) this.#advance(nowMs, age);
    else if (Number.isNaN(age)) checkTime(nowMs);
    let position = this.#position;
    let back = 0;
    if (age < 0) {
      checkTime(nowMs);
      back = -age;
      if (back >= this.#length) return;
      position -= back;
      if (position < 0) position += this.#count;
      this.#pivotAge = forever;
    }
    const cells = this.#cells;
    cells[position] = (cells[position] ?? 0) + value;
    if (value === 0) return;
    if (back < this.#sinceNonZero) this.#sinceNonZero = back;
    if (value < 0 && back < this.#sinceNegative) this.#sinceNegative = back;
  }

  #advance(nowMs: number, age: number): void {
    checkTime(nowMs);
    const cells = this.#cells;
    if (age >= this.#length) {
      cells.fill(0);
      this.#position = 0;
      this.#pivotAge = forever;
      // Nothing of before is left, so nothing of before may count as inside the window.
      this.#sinceNonZero = forever;
      this.#sinceNegative = forever;
      this.#lastMs = Math.floor(nowMs / this.#bucketMs) * this.#bucketMs;
      return;
    }
    let position = this.#position;
    const weight = age === 1 ? this.#decay : this.#decay ** age;
    this.#recent = (this.#recent + (cells[position] ?? 0)) * weight;
    this.#pivotWeight *= weight;
    for (let step = 0; step < age; step++) {
      if (++position === this.#count) position = 0;
      cells[position] = 0;
    }
    this.#position = position;
    this.#lastMs += age * this.#bucketMs;
    this.#pivotAge = later(this.#pivotAge, age);
    this.#sinceNonZero = later(this.#sinceNonZero, age);
    this.#sinceNegative = later(this.#sinceNegative, age);
  }

  average(nowMs: number): number {
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (age > this.#length) return 0;
    const stale = age > 0 ? age : 0;
    // How many buckets before the newest one are inside.
    const inside = this.#count - stale - 1;
    if (this.#sinceNonZero > inside) return 0;
    if (this.#sinceNegative <= inside) return this.#addUp(stale);
    const cells = this.#cells;
    let sum = cells[this.#position] ?? 0;
    if (inside > 0) {
      if (this.#pivotAge > inside) this.#movePivot();
      let oldest = this.#position + stale + 1;
      if (oldest >= this.#count) oldest -= this.#count;
      sum += this.#recent + this.#pivotWeight * (cells[this.#count + oldest] ?? 0);
    }
    const average = sum * (stale === 0 ? this.#smoothing : this.#smoothing * this.#decay ** stale);
    return average < precisionLoss ? this.#addUp(stale) : average;
  }

  // Everything before the newest bucket becomes the older part. O(n), once per turn of the ring or after a late record.
  #movePivot(): void {
    const cells = this.#cells;
    const count = this.#count;
    const decay = this.#decay;
    let sum = 0;
    let weight = 1;
    let position = this.#position;
    for (let back = 1; back < count; back++) {
      position = position === 0 ? count - 1 : position - 1;
      sum += (cells[position] ?? 0) * weight;
      cells[count + position] = sum;
      weight *= decay;
    }
    this.#pivotAge = 1;
    this.#pivotWeight = decay;
    this.#recent = 0;
  }

  // The full sum in upstream's order.
  #addUp(stale: number): number {
    const cells = this.#cells;
    let weight = stale === 0 ? this.#smoothing : this.#smoothing * this.#decay ** stale;
    let position = this.#position;
    let sum = 0;
    for (let back = 0; back < this.#count - stale; back++) {
      sum += (cells[position] ?? 0) * weight;
      weight *= this.#decay;
      position = position === 0 ? this.#count - 1 : position - 1;
    }
    return sum;
  }

  isEmpty(nowMs: number): boolean {
    return bucketsSince(this.#lastMs, nowMs, this.#bucketMs) > this.#length;
  }

  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    const old = this.#cells;
    const oldCount = this.#count;
    const count = bucketsOf(windowMs, this.#bucketMs);
    const kept = new Float64Array(2 * count);
    let position = 0;
    if (!this.isEmpty(nowMs)) {
      const both = Math.min(oldCount, count);
      for (let back = 0; back < both; back++) {
        kept[both - 1 - back] = old[(this.#position - back + oldCount) % oldCount] ?? 0;
      }
      position = both - 1;
    }
    this.windowMs = windowMs;
    this.#length = windowMs / this.#bucketMs;
    this.#cells = kept;
    this.#count = count;
    this.#position = position;
    this.#smoothing = smoothingFor(count);
    this.#decay = 1 - this.#smoothing;
    this.#pivotAge = forever;
  }
}

function smoothingFor(buckets: number): number {
  return Math.max(1 - weightPrecision ** (1 / buckets), smoothingMin);
}

function later(since: number, age: number): number {
  return since >= forever - age ? forever : since + age;
}
