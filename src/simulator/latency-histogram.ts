/** Bits of the fraction that tell buckets apart: 128 buckets for each doubling, so a value is at most 0.4 % off. */
const fractionBits = 7;
const shift = 20 - fractionBits;
/** Values from 2^-10 ms (about a microsecond) to 2^27 ms (a day and a half); what lies beyond counts as the nearest. */
const least = (1023 - 10) << fractionBits;
const buckets = 37 << fractionBits;

const value = new Float64Array(1);
const words = new Uint32Array(value.buffer);
/** Which half of a double has the exponent: the machine's byte order decides. */
const high = (() => {
  value[0] = 1;
  return words[1] === 0 ? 0 : 1;
})();

/** Counts durations in buckets of equal relative width. Recording costs a few nanoseconds; nothing is allocated. */
export class LatencyHistogram {
  count = 0;
  sumMs = 0;
  minMs = Infinity;
  maxMs = 0;
  readonly #counts = new Uint32Array(buckets);
  #first = buckets;
  #last = -1;

  record(ms: number): void {
    value[0] = ms;
    const raw = ((words[high] ?? 0) >>> shift) - least;
    const index = raw < 0 ? 0 : raw < buckets ? raw : buckets - 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count++;
    this.sumMs += ms;
    if (ms < this.minMs) this.minMs = ms;
    if (ms > this.maxMs) this.maxMs = ms;
    if (index < this.#first) this.#first = index;
    if (index > this.#last) this.#last = index;
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.sumMs / this.count;
  }

  /** The value below which this share (0 to 1) lies; 0 without values. */
  quantile(share: number): number {
    if (this.count === 0) return 0;
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let index = this.#first; index <= this.#last; index++) {
      left -= this.#counts[index] ?? 0;
      if (left <= 0) return Math.min(this.maxMs, Math.max(this.minMs, middleOf(index)));
    }
    return this.maxMs;
  }

  /** Adds everything of `other`, and empties it. */
  take(other: LatencyHistogram): void {
    for (let index = other.#first; index <= other.#last; index++) {
      this.#counts[index] = (this.#counts[index] ?? 0) + (other.#counts[index] ?? 0);
      other.#counts[index] = 0;
    }
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.minMs = Math.min(this.minMs, other.minMs);
    this.maxMs = Math.max(this.maxMs, other.maxMs);
    this.#first = Math.min(this.#first, other.#first);
    this.#last = Math.max(this.#last, other.#last);
    other.count = 0;
    other.sumMs = 0;
    other.minMs = Infinity;
    other.maxMs = 0;
    other.#first = buckets;
    other.#last = -1;
  }
}

function middleOf(index: number): number {
  const edge = (at: number): number => {
    value[0] = 0;
    words[high] = (at + least) << shift;
    return value[0] ?? 0;
  };
  return (edge(index) + edge(index + 1)) / 2;
}
