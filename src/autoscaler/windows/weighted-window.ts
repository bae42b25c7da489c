import { bucketsOf, never, refuseSample, sampleMax, type Window } from './window.ts';

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
  #buckets: Float64Array;
  /** At the ring index of bucket t: sum of decay^(pivot-t') × value for t <= t' <= pivot. */
  #suffix: Float64Array;
  #length: number;
  #smoothing: number;
  #decay: number;
  #last = never;
  #position = 0;
  /** Last bucket of the older part; the suffix sums end there. */
  #pivot = never;
  #pivotIsStale = true;
  /** decay^(last - pivot). */
  #pivotWeight = 1;
  /** Sum of decay^(last-t) × value for pivot < t < last. */
  #recent = 0;
  #lastNonZero = never;
  #lastNegative = never;

  constructor(windowMs: number, bucketMs = 1_000) {
    const count = bucketsOf(windowMs, bucketMs);
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#buckets = new Float64Array(count);
    this.#suffix = new Float64Array(count);
    this.#length = windowMs / bucketMs;
    this.#smoothing = smoothingFor(count);
    this.#decay = 1 - this.#smoothing;
  }

  record(nowMs: number, value: number): void {
    if (!(value <= sampleMax && value >= -sampleMax && nowMs >= 0 && nowMs <= sampleMax)) refuseSample(nowMs, value);
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const age = bucket - this.#last;
    if (age > 0) this.#advance(bucket, age);
    let position = this.#position;
    if (age < 0) {
      if (-age >= this.#length) return;
      position += age;
      if (position < 0) position += this.#buckets.length;
      this.#pivotIsStale = true;
    }
    this.#buckets[position] = (this.#buckets[position] ?? 0) + value;
    if (value > 0) {
      if (bucket > this.#lastNonZero) this.#lastNonZero = bucket;
    } else if (value < 0) {
      if (bucket > this.#lastNonZero) this.#lastNonZero = bucket;
      if (bucket > this.#lastNegative) this.#lastNegative = bucket;
    }
  }

  #advance(bucket: number, age: number): void {
    const buckets = this.#buckets;
    if (age >= this.#length) {
      buckets.fill(0);
      this.#position = 0;
      this.#pivotIsStale = true;
      // Nothing of before is left, so nothing of before may count as inside the window.
      this.#lastNonZero = never;
      this.#lastNegative = never;
    } else if (age === 1) {
      this.#recent = (this.#recent + (buckets[this.#position] ?? 0)) * this.#decay;
      this.#pivotWeight *= this.#decay;
      if (++this.#position === buckets.length) this.#position = 0;
      buckets[this.#position] = 0;
    } else {
      const weight = this.#decay ** age;
      this.#recent = (this.#recent + (buckets[this.#position] ?? 0)) * weight;
      this.#pivotWeight *= weight;
      for (let step = 0; step < age; step++) {
        if (++this.#position === buckets.length) this.#position = 0;
        buckets[this.#position] = 0;
      }
    }
    this.#last = bucket;
  }

  average(nowMs: number): number {
    const now = Math.floor(nowMs / this.#bucketMs);
    let stale = now - this.#last;
    if (stale > this.#length) return 0;
    if (stale < 0) stale = 0;
    const count = this.#buckets.length;
    const start = this.#last + stale - count + 1;
    if (start > this.#last || start > this.#lastNonZero) return 0;
    if (start <= this.#lastNegative) return this.#addUp(stale);
    let sum = this.#buckets[this.#position] ?? 0;
    if (start < this.#last) {
      if (this.#pivotIsStale || start > this.#pivot) this.#movePivot();
      // The newest `count - stale` buckets are inside; the oldest of them is `stale + 1` places ahead of the newest in the ring.
      let oldest = this.#position + stale + 1;
      if (oldest >= count) oldest -= count;
      sum += this.#recent + this.#pivotWeight * (this.#suffix[oldest] ?? 0);
    }
    const weight = stale === 0 ? this.#smoothing : this.#smoothing * this.#decay ** stale;
    const average = weight * sum;
    return average < precisionLoss ? this.#addUp(stale) : average;
  }

  // Everything before the newest bucket becomes the older part. O(n), once per turn of the ring or after a late record.
  #movePivot(): void {
    const buckets = this.#buckets;
    const count = buckets.length;
    let sum = 0;
    let weight = 1;
    let position = this.#position;
    for (let back = 1; back < count; back++) {
      position = position === 0 ? count - 1 : position - 1;
      sum += (buckets[position] ?? 0) * weight;
      this.#suffix[position] = sum;
      weight *= this.#decay;
    }
    this.#pivot = this.#last - 1;
    this.#pivotWeight = this.#decay;
    this.#recent = 0;
    this.#pivotIsStale = false;
  }

  // The full sum in upstream's order.
  #addUp(stale: number): number {
    const buckets = this.#buckets;
    const count = buckets.length;
    let weight = stale === 0 ? this.#smoothing : this.#smoothing * this.#decay ** stale;
    let position = this.#position;
    let sum = 0;
    for (let back = 0; back < count - stale; back++) {
      sum += (buckets[position] ?? 0) * weight;
      weight *= this.#decay;
      position = position === 0 ? count - 1 : position - 1;
    }
    return sum;
  }

  isEmpty(nowMs: number): boolean {
    return Math.floor(nowMs / this.#bucketMs) - this.#last > this.#length;
  }

  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    const old = this.#buckets;
    const kept = new Float64Array(bucketsOf(windowMs, this.#bucketMs));
    if (this.isEmpty(nowMs)) {
      this.#position = 0;
    } else {
      const count = Math.min(old.length, kept.length);
      for (let back = 0; back < count; back++) {
        kept[count - 1 - back] = old[(this.#position - back + old.length) % old.length] ?? 0;
      }
      this.#position = count - 1;
    }
    this.windowMs = windowMs;
    this.#length = windowMs / this.#bucketMs;
    this.#buckets = kept;
    this.#suffix = new Float64Array(kept.length);
    this.#smoothing = smoothingFor(kept.length);
    this.#decay = 1 - this.#smoothing;
    this.#pivotIsStale = true;
  }
}

function smoothingFor(buckets: number): number {
  return Math.max(1 - weightPrecision ** (1 / buckets), smoothingMin);
}
