import type { EventMessage } from '../cloudevents/event-message.ts';
import type { TextReader } from './filters/attribute.ts';
import type { AtomNode } from './filters/filter-node.ts';
import { addToBucket, bucketSize, removeFromBucket, SlotList, type Bucket, type Hits } from './matcher-slots.ts';
import { AffixTrie } from './matcher-trie.ts';

/** Removing many excluded slots one by one would cost more than copying the others. */
const excludedMax = 32;

/** Everything that the matcher looks up by the text of one attribute. */
export class AttributeIndex {
  readonly attribute: string;
  readonly #read: TextReader;
  readonly #exact = new Map<string, Bucket>();
  readonly #prefixes = new AffixTrie(false);
  readonly #suffixes = new AffixTrie(true);
  readonly #unless = new Map<string, Bucket>();
  readonly #unlessAll = new SlotList();
  /** Where a slot stands in `#unlessAll`. */
  #unlessPositions = new Int32Array(0);

  constructor(atom: AtomNode) {
    this.attribute = atom.attribute;
    this.#read = atom.read;
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.size === 0 && this.#suffixes.size === 0 && this.#unlessAll.length === 0;
  }

  /** How many slots are filed under exactly this atom. */
  count(atom: AtomNode): number {
    if (atom.kind === 'exact') return bucketSize(this.#exact.get(atom.value));
    return (atom.kind === 'prefix' ? this.#prefixes : this.#suffixes).count(atom.value);
  }

  add(atom: AtomNode, slot: number): void {
    if (atom.kind === 'exact') this.#exact.set(atom.value, addToBucket(this.#exact.get(atom.value), slot));
    else (atom.kind === 'prefix' ? this.#prefixes : this.#suffixes).add(atom.value, slot);
  }

  remove(atom: AtomNode, slot: number): void {
    if (atom.kind === 'exact') {
      removeFrom(this.#exact, atom.value, slot);
    } else (atom.kind === 'prefix' ? this.#prefixes : this.#suffixes).remove(atom.value, slot);
  }

  /** Files a slot that is found unless the attribute has this value. */
  addUnless(value: string, slot: number): void {
    this.#unless.set(value, addToBucket(this.#unless.get(value), slot));
    const position = this.#unlessAll.push(slot);
    if (slot >= this.#unlessPositions.length) {
      const grown = new Int32Array(Math.max(slot + 1, this.#unlessPositions.length * 2));
      grown.set(this.#unlessPositions);
      this.#unlessPositions = grown;
    }
    this.#unlessPositions[slot] = position;
  }

  removeUnless(value: string, slot: number): void {
    removeFrom(this.#unless, value, slot);
    const position = this.#unlessPositions[slot] ?? 0;
    const moved = this.#unlessAll.removeAt(position);
    this.#unlessAll.trim();
    if (moved >= 0) this.#unlessPositions[moved] = position;
  }

  /** Appends what an event finds: buckets whose slots may need further tests to `hits`, slots that need none to `found`. */
  collect(event: EventMessage, hits: Hits, found: SlotList): void {
    const value = this.#read(event);
    if (this.#unlessAll.length > 0) this.#collectUnless(value, found);
    if (value === undefined) return;
    if (this.#exact.size > 0) {
      const bucket = this.#exact.get(value);
      if (bucket !== undefined) hits.push(bucket);
    }
    if (this.#prefixes.size > 0) this.#prefixes.collect(value, hits);
    if (this.#suffixes.size > 0) this.#suffixes.collect(value, hits);
  }

  // All at once, then the few that the value excludes are taken out again: a copy of memory costs less than a visit to each.
  #collectUnless(value: string | undefined, found: SlotList): void {
    const excluded = value === undefined ? undefined : this.#unless.get(value);
    const size = bucketSize(excluded);
    if (size > excludedMax) {
      this.#collectOthers(excluded, found);
      return;
    }
    const start = found.append(this.#unlessAll);
    if (excluded === undefined) return;
    if (typeof excluded === 'number') {
      found.removeAt(start + (this.#unlessPositions[excluded] ?? 0));
      return;
    }
    const positions: number[] = [];
    for (let index = 0; index < size; index++) positions.push(this.#unlessPositions[excluded.slots[index] ?? 0] ?? 0);
    // From the end, so that what moves into a gap is never itself excluded.
    positions.sort((a, b) => b - a);
    for (const position of positions) found.removeAt(start + position);
  }

  #collectOthers(excluded: Bucket | undefined, found: SlotList): void {
    const positions = new Set<number>();
    if (excluded instanceof SlotList)
      for (let index = 0; index < excluded.length; index++) positions.add(excluded.slots[index] ?? 0);
    for (let index = 0; index < this.#unlessAll.length; index++) {
      const slot = this.#unlessAll.slots[index] ?? 0;
      if (!positions.has(slot)) found.push(slot);
    }
  }
}

function removeFrom(map: Map<string, Bucket>, value: string, slot: number): void {
  const bucket = removeFromBucket(map.get(value), slot);
  if (bucket === undefined) map.delete(value);
  else map.set(value, bucket);
}
