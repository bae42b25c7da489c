import type { EventMessage } from '../cloudevents/event-message.ts';
import { toEventMessage, type EventLike } from '../cloudevents/index.ts';
import { compileFilter, type Filter, type FilterSpec } from './filters/compile-filter.ts';
import type { FilterExplanation } from './filters/explain-filter.ts';
import type { AtomNode, FilterNode } from './filters/filter-node.ts';
import { chooseAccess, type Access } from './matcher-access.ts';
import { AttributeIndex } from './matcher-index.ts';
import { Hits, SlotList } from './matcher-slots.ts';
import { meets, TestTable, type RestTest } from './matcher-tests.ts';

/** Why one trigger gets an event or not. */
export interface TriggerExplanation extends FilterExplanation {
  readonly id: string;
  /** True when the event is delivered: the result is not `fail`. */
  readonly matched: boolean;
}

/** The triggers that an event matches. Reused by the next `match`; take `ids()` to keep it. */
export interface Matches extends Iterable<string> {
  readonly length: number;
  /** Slots of the triggers in the first `length` places, in no particular order. */
  readonly slots: Int32Array;
  ids(): string[];
}

/**
 * All triggers of a broker compiled into one index: matching costs by what matches, not by how many triggers there are. Always equal to
 * evaluating each filter alone.
 */
export interface Matcher {
  /** Number of triggers. */
  readonly size: number;
  /**
   * Adds or replaces one trigger, without rebuilding anything. Returns its slot, a small number that stays the trigger's until it is
   * replaced or deleted. Throws EVENTING_INVALID_FILTER as `compileFilter` does; then nothing has changed.
   */
  set(id: string, filter: Filter | FilterSpec): number;
  /** False when there is no such trigger. */
  delete(id: string): boolean;
  has(id: string): boolean;
  /** The trigger of a slot, `undefined` when the slot is free. */
  idOf(slot: number): string | undefined;
  /** Events as a broker matches them are in the form that `wireForm` gives. */
  match(event: EventLike): Matches;
  /** Every trigger with the reason why it gets the event or not, in the order in which they were added. */
  match(event: EventLike, options: { readonly explain: true }): TriggerExplanation[];
}

export function createMatcher(): Matcher {
  return new IndexMatcher();
}

const hasRest = 1;
/** The slot is filed in more than one place, so an event may find it twice. */
const isFiledTwice = 2;

/** Where a slot is filed: under an atom, under several, under what a `not` excludes, or in one of the lists. */
type Place = FilterNode | readonly AtomNode[] | 'always' | 'scan';

class IndexMatcher implements Matcher {
  readonly #slotOf = new Map<string, number>();
  readonly #ids: (string | undefined)[] = [];
  readonly #filters: (Filter | undefined)[] = [];
  readonly #places: (Place | undefined)[] = [];
  readonly #rests: (RestTest | readonly RestTest[] | undefined)[] = [];
  #flags = new Uint8Array(8);
  /** The stamp of the event that found a slot last, 0 for none. */
  #stamps = new Uint32Array(8);
  #stamp = 0;
  readonly #free: number[] = [];

  readonly #indexes = new Map<string, AttributeIndex>();
  #indexList: readonly AttributeIndex[] = [];
  readonly #always = new SlotList();
  readonly #scan = new SlotList();
  readonly #tests = new TestTable();

  readonly #hits = new Hits();
  readonly #found = new FoundTriggers(this.#ids);
  /** Number of the event being matched; never wraps, unlike the stamp. */
  #epoch = 0;

  get size(): number {
    return this.#slotOf.size;
  }

  has(id: string): boolean {
    return this.#slotOf.has(id);
  }

  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  set(id: string, filter: Filter | FilterSpec): number {
    const compiled = 'node' in filter ? filter : compileFilter(filter);
    this.delete(id);
    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot >= this.#flags.length) this.#grow();
    this.#slotOf.set(id, slot);
    this.#ids[slot] = id;
    this.#filters[slot] = compiled;
    const access = chooseAccess(compiled.node, (atom) => this.#indexes.get(atom.attribute)?.count(atom) ?? 0);
    this.#places[slot] = this.#file(slot, access);
    return slot;
  }

  delete(id: string): boolean {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return false;
    this.#unfile(slot);
    this.#slotOf.delete(id);
    this.#ids[slot] = undefined;
    this.#filters[slot] = undefined;
    this.#places[slot] = undefined;
    this.#free.push(slot);
    return true;
  }

  match(event: EventLike): Matches;
  match(event: EventLike, options: { readonly explain: true }): TriggerExplanation[];
  match(event: EventLike, options?: { readonly explain: true }): Matches | TriggerExplanation[] {
    const message = toEventMessage(event);
    return options === undefined ? this.#match(message) : this.#explain(message);
  }

  #match(event: EventMessage): Matches {
    const found = this.#found;
    const hits = this.#hits;
    found.length = 0;
    hits.count = 0;
    const epoch = ++this.#epoch;
    this.#stamp = (this.#stamp + 1) >>> 0;
    if (this.#stamp === 0) {
      this.#stamps.fill(0);
      this.#stamp = 1;
    }
    if (this.#always.length > 0) found.append(this.#always);
    for (let index = 0; index < this.#indexList.length; index++) this.#indexList[index]?.collect(event, hits, found);
    for (let index = 0; index < hits.count; index++) {
      const bucket = hits.buckets[index];
      if (typeof bucket === 'number') this.#consider(bucket, event, epoch);
      else if (bucket !== undefined) this.#considerAll(bucket, event, epoch);
    }
    if (this.#scan.length > 0) this.#considerAll(this.#scan, event, epoch);
    return found;
  }

  #considerAll(list: SlotList, event: EventMessage, epoch: number): void {
    for (let index = 0; index < list.length; index++) this.#consider(list.slots[index] ?? 0, event, epoch);
  }

  #consider(slot: number, event: EventMessage, epoch: number): void {
    const flags = this.#flags[slot] ?? 0;
    if (flags !== 0) {
      if ((flags & isFiledTwice) !== 0) {
        if (this.#stamps[slot] === this.#stamp) return;
        this.#stamps[slot] = this.#stamp;
      }
      if ((flags & hasRest) !== 0 && !this.#meetsRest(slot, event, epoch)) return;
    }
    this.#found.push(slot);
  }

  #meetsRest(slot: number, event: EventMessage, epoch: number): boolean {
    const rest = this.#rests[slot];
    if (rest === undefined) return true;
    if (!isList(rest)) return meets(rest, event, epoch);
    for (let index = 0; index < rest.length; index++) {
      const test = rest[index];
      if (test !== undefined && !meets(test, event, epoch)) return false;
    }
    return true;
  }

  #explain(event: EventMessage): TriggerExplanation[] {
    return [...this.#slotOf].flatMap(([id, slot]) => {
      const explanation = this.#filters[slot]?.explain(event);
      return explanation === undefined ? [] : [{ id, matched: explanation.result !== 'fail', ...explanation }];
    });
  }

  #file(slot: number, access: Access): Place {
    this.#flags[slot] = 0;
    switch (access.kind) {
      case 'always':
        this.#always.push(slot);
        return 'always';
      case 'unless':
        this.#indexOf(access.atom).addUnless(access.atom.value, slot);
        return access.not;
      case 'scan':
        this.#scan.push(slot);
        this.#setRest(slot, access.rest);
        return 'scan';
      case 'atoms': {
        this.#setRest(slot, access.rest);
        for (const atom of access.atoms) this.#indexOf(atom).add(atom, slot);
        const [only, second] = access.atoms;
        if (only !== undefined && second === undefined) return only;
        this.#flags[slot] = (this.#flags[slot] ?? 0) | isFiledTwice;
        this.#stamps[slot] = 0;
        return access.atoms;
      }
    }
  }

  #setRest(slot: number, rest: readonly FilterNode[]): void {
    const [only, second] = rest;
    if (only === undefined) return;
    this.#rests[slot] = second === undefined ? this.#tests.acquire(only) : rest.map((node) => this.#tests.acquire(node));
    this.#flags[slot] = (this.#flags[slot] ?? 0) | hasRest;
  }

  #unfile(slot: number): void {
    const rest = this.#rests[slot];
    if (rest !== undefined) {
      if (isList(rest)) for (const test of rest) this.#tests.release(test);
      else this.#tests.release(rest);
      this.#rests[slot] = undefined;
    }
    const place = this.#places[slot];
    if (place === undefined) return;
    if (place === 'always' || place === 'scan') removeSlot(place === 'always' ? this.#always : this.#scan, slot);
    else if (isList(place)) for (const atom of place) this.#remove(atom, slot);
    else if (place.kind === 'not') {
      const excluded = place.node;
      if (excluded.kind === 'exact') this.#remove(excluded, slot, 'unless');
    } else if (place.kind === 'exact' || place.kind === 'prefix' || place.kind === 'suffix') this.#remove(place, slot);
  }

  #remove(atom: AtomNode, slot: number, kind?: 'unless'): void {
    const index = this.#indexOf(atom);
    if (kind === 'unless') index.removeUnless(atom.value, slot);
    else index.remove(atom, slot);
    if (!index.isEmpty) return;
    this.#indexes.delete(atom.attribute);
    this.#indexList = [...this.#indexes.values()];
  }

  #indexOf(atom: AtomNode): AttributeIndex {
    let index = this.#indexes.get(atom.attribute);
    if (index === undefined) {
      index = new AttributeIndex(atom);
      this.#indexes.set(atom.attribute, index);
      this.#indexList = [...this.#indexes.values()];
    }
    return index;
  }

  #grow(): void {
    const flags = new Uint8Array(this.#flags.length * 2);
    flags.set(this.#flags);
    this.#flags = flags;
    const stamps = new Uint32Array(this.#stamps.length * 2);
    stamps.set(this.#stamps);
    this.#stamps = stamps;
  }
}

class FoundTriggers extends SlotList implements Matches {
  readonly #ids: readonly (string | undefined)[];

  constructor(ids: readonly (string | undefined)[]) {
    super();
    this.#ids = ids;
  }

  ids(): string[] {
    return [...this];
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let index = 0; index < this.length; index++) {
      const id = this.#ids[this.slots[index] ?? -1];
      if (id !== undefined) yield id;
    }
  }
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function removeSlot(list: SlotList, slot: number): void {
  const index = list.indexOf(slot);
  if (index >= 0) list.removeAt(index);
}
