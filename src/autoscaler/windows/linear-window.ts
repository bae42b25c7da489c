import { bucketsOf, never, refuseSample, sampleMax, type Window } from './window.ts';

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
  #first = never;
  #last = never;
  /** Ring index of bucket `#last`. */
  #position = 0;

  constructor(windowMs: number, bucketMs = 1_000) {
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#buckets = new Float64Array(bucketsOf(windowMs, bucketMs));
    this.#length = windowMs / bucketMs;
  }

  record(nowMs: number, value: number): void {
    if (!(value <= sampleMax && value >= -sampleMax && nowMs >= 0 && nowMs <= sampleMax)) refuseSample(nowMs, value);
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const age = bucket - this.#last;
    if (age > 0) this.#advance(bucket, age);
    if (age >= 0) {
      this.#buckets[this.#position] = (this.#buckets[this.#position] ?? 0) + value;
      this.#total += value;
    } else if (-age < this.#length) {
      this.#recordLate(bucket, age, value);
    }
  }

  #advance(bucket: number, age: number): void {
    const buckets = this.#buckets;
    if (age >= this.#length) {
      buckets.fill(0);
      this.#total = 0;
      this.#first = bucket;
      this.#position = 0;
    } else {
      if (this.#first === never) this.#first = bucket;
      let position = this.#position;
      for (let step = 0; step < age; step++) {
        if (++position === buckets.length) position = 0;
        this.#total -= buckets[position] ?? 0;
        buckets[position] = 0;
      }
      this.#position = position;
    }
    this.#last = bucket;
  }

  #recordLate(bucket: number, age: number, value: number): void {
    if (this.#first === never || bucket < this.#first) this.#first = bucket;
    let position = this.#position + age;
    if (position < 0) position += this.#buckets.length;
    this.#buckets[position] = (this.#buckets[position] ?? 0) + value;
    this.#total += value;
  }

  average(nowMs: number): number {
    const age = Math.floor(nowMs / this.#bucketMs) - this.#last;
    let total = this.#total;
    let count = this.#buckets.length;
    if (age > 0) {
      if (age >= this.#length) return 0;
      count -= age;
      let position = this.#position;
      for (let step = 0; step < age; step++) {
        if (++position === this.#buckets.length) position = 0;
        total -= this.#buckets[position] ?? 0;
      }
    }
    const recorded = this.#last - this.#first + 1;
    return roundToMicros(total / (recorded < count ? recorded : count));
  }

  isEmpty(nowMs: number): boolean {
    return Math.floor(nowMs / this.#bucketMs) - this.#last > this.#length;
  }

  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    const old = this.#buckets;
    const kept = new Float64Array(bucketsOf(windowMs, this.#bucketMs));
    let total = 0;
    if (this.isEmpty(nowMs)) {
      this.#first = never;
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
      this.#first = this.#last - (old.length - 1);
    }
    this.windowMs = windowMs;
    this.#length = windowMs / this.#bucketMs;
    this.#buckets = kept;
    this.#total = total;
  }
}

// Six decimals, halves away from zero (`Math.round` takes negative halves towards zero).
function roundToMicros(value: number): number {
  const micros = value * 1e6;
  const whole = Math.trunc(micros);
  const rest = micros - whole;
  return (rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole) / 1e6;
}
