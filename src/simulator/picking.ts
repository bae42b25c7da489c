import type { Random } from '../random.ts';
import { InstanceSet, type PickingPolicy, type Slot } from '../serving/data-plane/instance-picking.ts';
import type { SimulatedInstance } from './instance.ts';

type InstanceSlot = Slot<SimulatedInstance>;

/** What the engine needs of a set of instances: the host's own set has it. */
export interface InstancePicker {
  set(instances: readonly { readonly id: string; readonly value: SimulatedInstance }[]): void;
  get(id: string): InstanceSlot | undefined;
  pick(): InstanceSlot | undefined;
  release(slot: InstanceSlot): void;
}

export function createPicker(
  picking: PickingPolicy | 'newest-idle-first' | undefined,
  containerConcurrency: number,
  random: Random,
): InstancePicker {
  if (picking === 'newest-idle-first') return new NewestIdleFirst(containerConcurrency);
  return new InstanceSet<SimulatedInstance>({
    containerConcurrency,
    random,
    ...(picking === undefined ? {} : { policy: picking }),
  });
}

/** Takes the instance that got room last, so that the others stay idle for as long as possible and can end: function platforms do so. */
class NewestIdleFirst implements InstancePicker {
  readonly #limit: number;
  #slots = new Map<string, InstanceSlot>();
  /**
   * Slots that had room when they were put here, the newest last; `available` says which are in here. Those that have no room any
   * more are dropped when they surface.
   */
  #stack: InstanceSlot[] = [];
  #sequence = 0;

  constructor(containerConcurrency: number) {
    this.#limit = containerConcurrency === 0 ? Infinity : containerConcurrency;
  }

  set(instances: readonly { readonly id: string; readonly value: SimulatedInstance }[]): void {
    const next = new Map<string, InstanceSlot>();
    for (const { id, value } of instances) {
      const known = this.#slots.get(id);
      const slot = known ?? { id, value, inFlight: 0, index: 0, available: false, sequence: this.#sequence++ };
      next.set(id, slot);
      if (known === undefined) this.#push(slot);
    }
    for (const [id, slot] of this.#slots) if (!next.has(id)) slot.index = -1;
    this.#slots = next;
  }

  get(id: string): InstanceSlot | undefined {
    return this.#slots.get(id);
  }

  pick(): InstanceSlot | undefined {
    for (;;) {
      const slot = this.#stack.at(-1);
      if (slot === undefined) return undefined;
      if (slot.index >= 0 && slot.inFlight < this.#limit) {
        slot.inFlight++;
        if (slot.inFlight >= this.#limit) this.#pop();
        return slot;
      }
      this.#pop();
    }
  }

  release(slot: InstanceSlot): void {
    slot.inFlight--;
    if (slot.index >= 0) this.#push(slot);
  }

  #push(slot: InstanceSlot): void {
    if (slot.available) return;
    slot.available = true;
    this.#stack.push(slot);
  }

  #pop(): void {
    const slot = this.#stack.pop();
    if (slot !== undefined) slot.available = false;
  }
}
