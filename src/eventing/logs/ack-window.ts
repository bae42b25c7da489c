/**
 * Which events of one trigger are done: a low watermark, and what is acknowledged above it. Events enter in order of position and get an
 * ordinal, a number that grows by one; acknowledging costs no search and no allocation.
 */
export class AckWindow {
  #positions = new Float64Array(64);
  #done = new Uint8Array(64);
  /** Ordinal of the oldest that is not done, and of the next to enter. */
  #head = 0;
  #tail = 0;
  #pending = 0;
  #low: number;

  /** `lowWatermark`: everything up to this position is done already. */
  constructor(lowWatermark = 0) {
    this.#low = lowWatermark;
  }

  /** Events that are not done. */
  get pending(): number {
    return this.#pending;
  }

  /** Everything up to this position is done. */
  get lowWatermark(): number {
    return this.#low;
  }

  /** Position of the oldest that is not done. */
  get oldest(): number | undefined {
    return this.#head === this.#tail ? undefined : this.#positions[this.#head & (this.#positions.length - 1)];
  }

  /** Enters an event; returns its ordinal. */
  add(position: number): number {
    if (this.#tail - this.#head === this.#positions.length) this.#grow();
    const ordinal = this.#tail++;
    const at = ordinal & (this.#positions.length - 1);
    this.#positions[at] = position;
    this.#done[at] = 0;
    this.#pending++;
    return ordinal;
  }

  /** Marks an event as done. False when it is so already. */
  ack(ordinal: number): boolean {
    const mask = this.#positions.length - 1;
    if (ordinal < this.#head || this.#done[ordinal & mask] === 1) return false;
    this.#done[ordinal & mask] = 1;
    this.#pending--;
    while (this.#head < this.#tail && this.#done[this.#head & mask] === 1) {
      this.#low = this.#positions[this.#head & mask] ?? this.#low;
      this.#head++;
    }
    return true;
  }

  /** What is done above the low watermark, first and last position of each run, inclusive. */
  ranges(): [number, number][] {
    const ranges: [number, number][] = [];
    let open: [number, number] | undefined;
    for (let ordinal = this.#head; ordinal < this.#tail; ordinal++) {
      const at = ordinal & (this.#positions.length - 1);
      const position = this.#positions[at] ?? 0;
      if (this.#done[at] !== 1) open = undefined;
      else if (open === undefined) ranges.push((open = [position, position]));
      else open[1] = position;
    }
    return ranges;
  }

  #grow(): void {
    const size = this.#positions.length;
    const positions = new Float64Array(size * 2);
    const done = new Uint8Array(size * 2);
    for (let ordinal = this.#head; ordinal < this.#tail; ordinal++) {
      positions[ordinal & (size * 2 - 1)] = this.#positions[ordinal & (size - 1)] ?? 0;
      done[ordinal & (size * 2 - 1)] = this.#done[ordinal & (size - 1)] ?? 0;
    }
    this.#positions = positions;
    this.#done = done;
  }
}
