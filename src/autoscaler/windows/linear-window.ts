import { bucketsOf, bucketsSince, checkTime, checkValue, forever, type Window } from './window.ts';

/**
 * The plain average of upstream's `TimedFloat64Buckets`: a running total over a ring of buckets, divided by the seconds from the
 * first to the last record, rounded to six decimals. Missing seconds inside the data count as 0; when reports stop, the average
 * stays at the level of what remains. Constant time per record and read; nothing is allocated.
 */
export class LinearWindow implements Window {
  windowMs: number;
  readonly #bucketMs: number;
  /** The ring is the part of this from `#start` up to `#end`: the windows of a revision share one array. */
  #cells: Float64Array;
  #start: number;
  #end: number;
  #total = 0;
  /** Start of the newest bucket. */
  #lastMs = -Infinity;
  /** Place of the newest bucket. */
  #position: number;
  /** Buckets from the first record to the last one, both included; `forever` when the first one is not known. */
  #recorded = forever;

  /** `cells` from `start` on must be zeros that nothing else uses, one for each bucket. */
  constructor(windowMs: number, bucketMs = 1_000, cells?: Float64Array, start = 0) {
    const count = bucketsOf(windowMs, bucketMs);
    this.windowMs = windowMs;
    this.#bucketMs = bucketMs;
    this.#cells = cells ?? new Float64Array(count);
    this.#start = start;
    this.#end = start + count;
    this.#position = start;
  }

  record(nowMs: number, value: number): void {
    checkValue(nowMs, value);
    this.add(nowMs, value);
  }

  add(nowMs: number, value: number): void {
    const sinceMs = nowMs - this.#lastMs;
    const bucketMs = this.#bucketMs;
    if (sinceMs >= bucketMs && sinceMs < bucketMs + bucketMs) this.#addToNext(value);
    else this.#addElsewhere(nowMs, value);
  }

  // The usual case, once a second: one bucket on. A ring of one bucket comes out empty but for the new value, as it must.
  #addToNext(value: number): void {
    const cells = this.#cells;
    let position = this.#position + 1;
    if (position === this.#end) position = this.#start;
    this.#position = position;
    this.#total = this.#total - (cells[position] ?? 0) + value;
    cells[position] = value;
    this.#lastMs += this.#bucketMs;
    if (this.#recorded < this.#end - this.#start) this.#recorded++;
    else if (this.#recorded === forever) this.#recorded = 1;
  }

  #addElsewhere(nowMs: number, value: number): void {
    checkTime(nowMs);
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (age > 0) this.#advance(nowMs, age);
    else if (age < 0) return this.#addLate(age, value);
    const position = this.#position;
    this.#cells[position] = (this.#cells[position] ?? 0) + value;
    this.#total += value;
  }

  // Ages compare with the duration, not with the number of buckets: a window may end within a bucket.
  #reaches(age: number): boolean {
    return age * this.#bucketMs < this.windowMs;
  }

  #advance(nowMs: number, age: number): void {
    const cells = this.#cells;
    if (!this.#reaches(age)) {
      cells.fill(0, this.#start, this.#end);
      this.#total = 0;
      this.#recorded = 1;
      this.#position = this.#start;
      this.#lastMs = Math.floor(nowMs / this.#bucketMs) * this.#bucketMs;
      return;
    }
    let position = this.#position;
    let total = this.#total;
    for (let step = 0; step < age; step++) {
      if (++position === this.#end) position = this.#start;
      total -= cells[position] ?? 0;
      cells[position] = 0;
    }
    this.#position = position;
    this.#total = total;
    this.#recorded = this.#recorded === forever ? 1 : Math.min(this.#recorded + age, this.#end - this.#start);
    this.#lastMs += age * this.#bucketMs;
  }

  #addLate(age: number, value: number): void {
    if (!this.#reaches(-age)) return;
    if (this.#recorded === forever || this.#recorded < 1 - age) this.#recorded = 1 - age;
    let position = this.#position + age;
    if (position < this.#start) position += this.#end - this.#start;
    this.#cells[position] = (this.#cells[position] ?? 0) + value;
    this.#total += value;
  }

  average(nowMs: number): number {
    if (!(nowMs - this.#lastMs < this.#bucketMs)) return this.#staleAverage(nowMs);
    const recorded = this.#recorded;
    const count = this.#end - this.#start;
    return roundToMicros(this.#total, recorded < count ? recorded : count);
  }

  // What has left the window since the last record no longer counts, neither in the total nor in the divisor.
  #staleAverage(nowMs: number): number {
    const age = bucketsSince(this.#lastMs, nowMs, this.#bucketMs);
    if (!this.#reaches(age)) return 0;
    const cells = this.#cells;
    let total = this.#total;
    let left = age;
    for (let position = this.#position + 1; left > 0 && position < this.#end; position++, left--) total -= cells[position] ?? 0;
    for (let position = this.#start; left > 0; position++, left--) total -= cells[position] ?? 0;
    return roundToMicros(total, Math.min(this.#recorded, this.#end - this.#start - age));
  }

  isEmpty(nowMs: number): boolean {
    return bucketsSince(this.#lastMs, nowMs, this.#bucketMs) * this.#bucketMs > this.windowMs;
  }

  resize(nowMs: number, windowMs: number): void {
    if (windowMs === this.windowMs) return;
    const old = this.#cells;
    const oldCount = this.#end - this.#start;
    const kept = new Float64Array(bucketsOf(windowMs, this.#bucketMs));
    let total = 0;
    let position = 0;
    if (this.isEmpty(nowMs)) {
      this.#recorded = forever;
    } else {
      const count = Math.min(oldCount, kept.length);
      // Newest first: the order of the additions decides the last bit of the total.
      for (let back = 0; back < count; back++) {
        const from = this.#position - back;
        const value = old[from < this.#start ? from + oldCount : from] ?? 0;
        kept[count - 1 - back] = value;
        total += value;
      }
      position = count - 1;
      this.#recorded = oldCount;
    }
    this.windowMs = windowMs;
    this.#cells = kept;
    this.#start = 0;
    this.#end = kept.length;
    this.#position = position;
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
