/** A growing list of slot numbers without holes; removal moves the last one into the gap. */
export class SlotList {
  slots: Int32Array = new Int32Array(4);
  length = 0;

  push(slot: number): number {
    if (this.length === this.slots.length) this.#grow(this.length + 1);
    this.slots[this.length] = slot;
    return this.length++;
  }

  /** Removes what stands at `index` and returns the slot that took its place, -1 when it was the last. */
  removeAt(index: number): number {
    const last = this.slots[--this.length] ?? -1;
    if (index === this.length) return -1;
    this.slots[index] = last;
    return last;
  }

  /** Gives memory back when most of it is unused. */
  trim(): void {
    if (this.slots.length > 16 && this.length < this.slots.length >> 2) this.slots = this.slots.slice(0, this.slots.length >> 1);
  }

  indexOf(slot: number): number {
    for (let index = 0; index < this.length; index++) if (this.slots[index] === slot) return index;
    return -1;
  }

  /** Appends all of another list in one copy and returns where it begins. */
  append(other: SlotList): number {
    const start = this.length;
    const end = start + other.length;
    if (end > this.slots.length) this.#grow(end);
    this.slots.set(other.length === other.slots.length ? other.slots : other.slots.subarray(0, other.length), start);
    this.length = end;
    return start;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.slots.length * 2));
    grown.set(this.slots);
    this.slots = grown;
  }
}

/** The slots filed under one look-up: the slot itself while there is one, a list from two on. */
export type Bucket = number | SlotList;

export const bucketSize = (bucket: Bucket | undefined): number =>
  bucket === undefined ? 0 : typeof bucket === 'number' ? 1 : bucket.length;

/** The bucket with `slot` added; the one given may be changed. */
export function addToBucket(bucket: Bucket | undefined, slot: number): Bucket {
  if (bucket === undefined) return slot;
  if (typeof bucket === 'number') {
    const list = new SlotList();
    list.push(bucket);
    list.push(slot);
    return list;
  }
  bucket.push(slot);
  return bucket;
}

/** The bucket without `slot`, `undefined` when it is empty then; the one given may be changed. */
export function removeFromBucket(bucket: Bucket | undefined, slot: number): Bucket | undefined {
  if (bucket === undefined || typeof bucket === 'number') return bucket === slot ? undefined : bucket;
  const index = bucket.indexOf(slot);
  if (index >= 0) bucket.removeAt(index);
  bucket.trim();
  return bucket.length === 1 ? bucket.slots[0] : bucket;
}

/** The buckets that one event found. The array stays as long as it has ever been: emptying it would make every event pay for a new one. */
export class Hits {
  readonly buckets: Bucket[] = [];
  count = 0;

  push(bucket: Bucket): void {
    this.buckets[this.count++] = bucket;
  }
}
