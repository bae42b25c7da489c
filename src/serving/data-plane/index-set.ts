/**
 * A set of small integers that finds its first member at or after a number in constant time: three levels of 32-bit words, so
 * up to 32,768 members cost the same as one.
 */
export class IndexSet {
  static readonly capacityMax = 32 * 32 * 32;
  readonly #leaves = new Uint32Array(32 * 32);
  readonly #middle = new Uint32Array(32);
  #top = 0;

  add(index: number): void {
    const leaf = index >>> 5;
    const word = index >>> 10;
    this.#leaves[leaf] = (this.#leaves[leaf] ?? 0) | (1 << (index & 31));
    this.#middle[word] = (this.#middle[word] ?? 0) | (1 << (leaf & 31));
    this.#top |= 1 << word;
  }

  delete(index: number): void {
    const leaf = index >>> 5;
    const word = index >>> 10;
    const left = (this.#leaves[leaf] ?? 0) & ~(1 << (index & 31));
    this.#leaves[leaf] = left;
    if (left !== 0) return;
    const middle = (this.#middle[word] ?? 0) & ~(1 << (leaf & 31));
    this.#middle[word] = middle;
    if (middle === 0) this.#top &= ~(1 << word);
  }

  clear(): void {
    this.#leaves.fill(0);
    this.#middle.fill(0);
    this.#top = 0;
  }

  /** The smallest member that is at least `from`, or -1. */
  next(from: number): number {
    if (from >= IndexSet.capacityMax) return -1;
    const leaf = from >>> 5;
    const inLeaf = (this.#leaves[leaf] ?? 0) & (-1 << (from & 31));
    if (inLeaf !== 0) return (leaf << 5) | lowestBit(inLeaf);
    const word = leaf >>> 5;
    const inMiddle = (this.#middle[word] ?? 0) & above(leaf & 31);
    if (inMiddle !== 0) return this.#lowestOf((word << 5) | lowestBit(inMiddle));
    const inTop = this.#top & above(word);
    if (inTop === 0) return -1;
    const nextWord = lowestBit(inTop);
    return this.#lowestOf((nextWord << 5) | lowestBit(this.#middle[nextWord] ?? 0));
  }

  #lowestOf(leaf: number): number {
    return (leaf << 5) | lowestBit(this.#leaves[leaf] ?? 0);
  }
}

/** Mask of the bits above `bit`; shifting by 32 would shift by 0. */
function above(bit: number): number {
  return bit === 31 ? 0 : -1 << (bit + 1);
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
