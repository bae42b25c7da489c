import { bucketsOf, bucketsSince, checkSample, forever, type Window } from './window.ts';

/**
 * The plain average of upstream's `TimedFloat64Buckets`: a running total over a ring of buckets, divided by the seconds from the
 * first to the last record, rounded to six decimals. Missing seconds inside the data count as 0; when reports stop, the average
 * stays at the level of what remains. Constant time per record and read; nothing is allocated.
 */
export class LinearWindow implements Window {
  windowMs: number;
  readonly #bucketMs: number;
  #buckets: Float64Array;
  /** The window's length in buckets, maybe a fraction: ages compare with it, not with the number of buckets. */
  #length: number;
  #total = 0;
  /** Start of the newest bucket. */
  #lastMs = -Infinity;
  /** Ring index of the newest bucket. */
  #position = 0;
  /** Buckets from the first record to the last one, both included; `forever` when the first one is not known. */
  #recorded = forever;

  constructor(windowMs: number, bucketMs = 1_000) {
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#buckets = new Float64Array(bucketsOf(windowMs, bucketMs));
    this.#length = windowMs / bucketMs;
  }

  record(nowMs: number, value: number): void {
    checkSample(nowMs, value);
    this.add(nowMs, value);
  }

  add(nowMs: number, value: number): void {
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (age > 0) this.#advance(nowMs, age);
    else if (age < 0) return this.#addLate(age, value);
    const buckets = this.#buckets;
    const position = this.#position;
    buckets[position] = (buckets[position] ?? 0) + value;
    this.#total += value;
  }

  #advance(nowMs: number, age: number): void {
    const buckets = this.#buckets;
    if (age >= this.#length) {
      buckets.fill(0);
      this.#total = 0;
      this.#recorded = 1;
      this.#position = 0;
      this.#lastMs = Math.floor(nowMs / this.#bucketMs) * this.#bucketMs;
      return;
    }
    let position = this.#position;
    let total = this.#total;
    for (let step = 0; step < age; step++) {
      if (++position === buckets.length) position = 0;
      total -= buckets[position] ?? 0;
      buckets[position] = 0;
    }
    this.#position = position;
    this.#total = total;
    this.#recorded = this.#recorded === forever ? 1 : Math.min(this.#recorded + age, forever - 1);
    this.#lastMs += age * this.#bucketMs;
  }

  #addLate(age: number, value: number): void {
    if (-age >= this.#length) return;
    if (this.#recorded === forever || this.#recorded < 1 - age) this.#recorded = 1 - age;
    let position = this.#position + age;
    if (position < 0) position += this.#buckets.length;
    this.#buckets[position] = (this.#buckets[position] ?? 0) + value;
    this.#total += value;
  }

  average(nowMs: number): number {
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (age > 0) return this.#staleAverage(age);
    const recorded = this.#recorded;
    const count = this.#buckets.length;
    return roundToMicros(this.#total, recorded < count ? recorded : count);
  }

  // What has left the window since the last record no longer counts, neither in the total nor in the divisor.
  #staleAverage(age: number): number {
    if (age >= this.#length) return 0;
    const buckets = this.#buckets;
    const size = buckets.length;
    let total = this.#total;
    let position = this.#position + 1;
    const end = position + age;
    for (; position < end && position < size; position++) total -= buckets[position] ?? 0;
    for (let index = 0; index < end - size; index++) total -= buckets[index] ?? 0;
    return roundToMicros(total, Math.min(this.#recorded, size - age));
  }

  isEmpty(nowMs: number): boolean {
    return bucketsSince(this.#lastMs, nowMs, this.#bucketMs) > this.#length;
  }

  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    const old = this.#buckets;
    const kept = new Float64Array(bucketsOf(windowMs, this.#bucketMs));
    let total = 0;
    if (this.isEmpty(nowMs)) {
      this.#recorded = forever;
      this.#position = 0;
    } else {
      const count = Math.min(old.length, kept.length);
      // Newest first: the order of the additions decides the last bit of the total.
      for (let back = 0; back < count; back++) {
        const value = old[(this.#position - back + old.length) % old.length] ?? 0;
        kept[count - 1 - back] = value;
        total += value;
      }
      this.#position = count - 1;
      this.#recorded = old.length;
    }
    this.windowMs = windowMs;
    this.#length = windowMs / this.#bucketMs;
    this.#buckets = kept;
    this.#total = total;
  }
}

// Six decimals, halves away from zero (`Math.round` takes negative halves towards zero).
function roundToMicros(total: number, count: number): number {
  const micros = (total / count) * 1e6;
  const whole = Math.trunc(micros);
  const rest = micros - whole;
  return (rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole) / 1e6;
}
