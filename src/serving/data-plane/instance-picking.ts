import { KnativeError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { IndexSet } from './index-set.ts';

/** How a revision's next instance is chosen. */
export type PickingPolicy = 'first-available' | 'round-robin' | 'random-choice-of-two';

/**
 * Upstream's choice by containerConcurrency: unlimited takes the less busy of two random ones, up to 3 the first with room (so that
 * few instances are warm), above that each in turn.
 */
export function pickingPolicyFor(containerConcurrency: number): PickingPolicy {
  if (containerConcurrency === 0) return 'random-choice-of-two';
  return containerConcurrency <= 3 ? 'first-available' : 'round-robin';
}

/** What picking knows about one instance. */
export interface Slot<T> {
  readonly id: string;
  readonly value: T;
  /** Requests in it. */
  inFlight: number;
  /** Position in the set, -1 once it has been removed. */
  index: number;
  /** False while it must not get requests. */
  available: boolean;
  /** Counts up with each instance that is added. */
  readonly sequence: number;
}

export interface InstanceSetOptions {
  /** Hard limit of requests per instance; 0 = unlimited. */
  readonly containerConcurrency: number;
  /** Default: upstream's choice by containerConcurrency. */
  readonly policy?: PickingPolicy;
  readonly random: Random;
}

/** The instances of one revision with their load. Picking costs the same for one and for thousands. */
export class InstanceSet<T> {
  readonly policy: PickingPolicy;
  readonly #limit: number;
  readonly #random: Random;
  readonly #free = new IndexSet();
  #slots: Slot<T>[] = [];
  #byId = new Map<string, Slot<T>>();
  #cursor = 0;
  #sequence = 0;

  constructor({ containerConcurrency, policy, random }: InstanceSetOptions) {
    this.#limit = containerConcurrency === 0 ? Infinity : containerConcurrency;
    this.policy = policy ?? pickingPolicyFor(containerConcurrency);
    this.#random = random;
  }

  get size(): number {
    return this.#slots.length;
  }

  get slots(): readonly Slot<T>[] {
    return this.#slots;
  }

  /** Replaces the instances. Those that stay keep their load; those that go finish what they have. */
  set(instances: readonly { readonly id: string; readonly value: T }[]): void {
    if (instances.length > IndexSet.capacityMax) {
      throw new KnativeError(
        'SERVING_TOO_MANY_INSTANCES',
        `at most ${IndexSet.capacityMax} instances of a revision, got ${instances.length}`,
      );
    }
    const next = new Map<string, Slot<T>>();
    for (const { id, value } of instances) {
      const known = this.#byId.get(id);
      next.set(
        id,
        known?.value === value ? known : { id, value, inFlight: 0, index: -1, available: true, sequence: this.#sequence++ },
      );
    }
    for (const slot of this.#slots) if (next.get(slot.id) !== slot) slot.index = -1;
    this.#byId = next;
    this.#slots = [...next.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#free.clear();
    this.#slots.forEach((slot, index) => {
      slot.index = index;
      this.#update(slot);
    });
  }

  get(id: string): Slot<T> | undefined {
    return this.#byId.get(id);
  }

  /** Takes a place in an instance, `undefined` when none has room. Give it back with `release`. */
  pick(): Slot<T> | undefined {
    switch (this.policy) {
      case 'first-available':
        return this.#take(this.#free.next(0));
      case 'round-robin':
        return this.#pickInTurn();
      case 'random-choice-of-two':
        return this.#pickLighter();
    }
  }

  /** Takes a place in this instance if it is still there and has room. */
  pickById(id: string): Slot<T> | undefined {
    const slot = this.#byId.get(id);
    return slot === undefined || !slot.available || slot.inFlight >= this.#limit ? undefined : this.#take(slot.index);
  }

  release(slot: Slot<T>): void {
    slot.inFlight--;
    if (slot.index >= 0) this.#update(slot);
  }

  /** Takes an instance out of the choice, or back into it. */
  setAvailable(slot: Slot<T>, available: boolean): void {
    slot.available = available;
    if (slot.index >= 0) this.#update(slot);
  }

  /** Counts something in the instance that was not picked for it: work that goes on after a response. */
  hold(slot: Slot<T>): void {
    slot.inFlight++;
    if (slot.index >= 0) this.#update(slot);
  }

  #update(slot: Slot<T>): void {
    if (slot.available && slot.inFlight < this.#limit) this.#free.add(slot.index);
    else this.#free.delete(slot.index);
  }

  #take(index: number): Slot<T> | undefined {
    const slot = index < 0 ? undefined : this.#slots[index];
    if (slot === undefined) return undefined;
    slot.inFlight++;
    if (slot.inFlight >= this.#limit) this.#free.delete(index);
    return slot;
  }

  #pickInTurn(): Slot<T> | undefined {
    // The set may have shrunk: upstream starts over then.
    if (this.#cursor >= this.#slots.length) this.#cursor = 0;
    let index = this.#free.next(this.#cursor);
    if (index < 0) index = this.#free.next(0);
    if (index < 0) return undefined;
    this.#cursor = index + 1;
    return this.#take(index);
  }

  #pickLighter(): Slot<T> | undefined {
    const count = this.#slots.length;
    if (count === 0) return undefined;
    const first = Math.floor(this.#random() * count);
    let second = count === 1 ? first : Math.floor(this.#random() * (count - 1));
    if (count > 1 && second >= first) second++;
    const a = this.#usable(first);
    const b = this.#usable(second);
    if (a === undefined && b === undefined)
      return this.#take(this.#free.next(first) < 0 ? this.#free.next(0) : this.#free.next(first));
    if (a === undefined) return this.#take(second);
    if (b === undefined || a.inFlight <= b.inFlight) return this.#take(first);
    return this.#take(second);
  }

  #usable(index: number): Slot<T> | undefined {
    const slot = this.#slots[index];
    return slot !== undefined && slot.available && slot.inFlight < this.#limit ? slot : undefined;
  }
}
