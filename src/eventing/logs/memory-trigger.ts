import type { Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { KnativeError } from '../../errors.ts';
import type { ConsumeOptions, LogConsumer, LogDelivery, LogTrigger, ParkedEvent, ParkReason, TriggerStats } from '../log.ts';
import { AckWindow } from './ack-window.ts';

export interface MemoryEntry {
  readonly position: number;
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly triggers: readonly LogTrigger[];
  readonly bytes: number;
  /** Triggers for which it is not done. */
  pending: number;
}

/** What the triggers of one memory log share. */
export interface MemoryLogState {
  readonly clock: Clock;
  readonly parked: Map<string, ParkedEvent>;
  readonly parkedMax: number;
  /** Events ever parked, for their ids. */
  parkedCount: number;
  pendingEvents: number;
  pendingBytes: number;
}

/** Queues of at most this many taken events are compacted by copying. */
const compactAt = 1024;

/** The queue of one trigger, and its consumer. */
export class MemoryTrigger implements LogTrigger {
  readonly name: string;
  readonly state: MemoryLogState;
  readonly window: AckWindow;
  /** Deliveries not handed out: `#waiting` from `#head` on, and those given back, which go first. */
  #waiting: MemoryDelivery[] = [];
  #head = 0;
  readonly #again: MemoryDelivery[] = [];
  /** Handed out and open, a list through the deliveries themselves. */
  #firstInHand: MemoryDelivery | undefined;
  #inHand = 0;
  #consumer: ConsumeOptions | undefined;
  /** The consumer has seen the end of the queue and wants to be told. */
  #hungry = false;
  #delayed = new Set<Disposable>();
  #removed = false;

  constructor(name: string, state: MemoryLogState, lastPosition: number) {
    this.name = name;
    this.state = state;
    this.window = new AckWindow(lastPosition);
  }

  get backlog(): number {
    return this.window.pending;
  }

  push(entry: MemoryEntry): void {
    if (this.#removed) {
      this.#forget(entry);
      return;
    }
    this.#waiting.push(new MemoryDelivery(this, entry, this.window.add(entry.position)));
    if (this.#hungry) this.#tell();
  }

  #tell(): void {
    this.#hungry = false;
    this.#consumer?.onReady();
  }

  consume(options: ConsumeOptions): LogConsumer {
    if (this.#consumer !== undefined) {
      throw new KnativeError('EVENTING_LOG_CONSUMED', `trigger ${JSON.stringify(this.name)} has a consumer already`, {
        path: this.name,
      });
    }
    this.#consumer = options;
    this.#hungry = true;
    if (this.#again.length > 0 || this.#head < this.#waiting.length) this.#tell();
    return {
      next: () => (this.#consumer === options ? this.#next() : undefined),
      close: () => {
        if (this.#consumer === options) this.stop();
      },
    };
  }

  #next(): MemoryDelivery | undefined {
    let delivery = this.#again.length > 0 ? this.#again.shift() : undefined;
    if (delivery === undefined) {
      delivery = this.#waiting[this.#head];
      if (delivery === undefined) {
        this.#waiting.length = 0;
        this.#head = 0;
        this.#hungry = true;
        return undefined;
      }
      this.#head++;
      if (this.#head >= compactAt && this.#head * 2 >= this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#head);
        this.#head = 0;
      }
    }
    this.#hold(delivery);
    delivery.attempt++;
    return delivery;
  }

  #hold(delivery: MemoryDelivery): void {
    delivery.inHand = true;
    delivery.next = this.#firstInHand;
    if (this.#firstInHand !== undefined) this.#firstInHand.previous = delivery;
    this.#firstInHand = delivery;
    this.#inHand++;
  }

  /** False when the delivery was not in hand. */
  #release(delivery: MemoryDelivery): boolean {
    if (!delivery.inHand) return false;
    const { previous, next } = delivery;
    if (previous === undefined) this.#firstInHand = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    delivery.previous = undefined;
    delivery.next = undefined;
    delivery.inHand = false;
    this.#inHand--;
    return true;
  }

  #heldNow(): MemoryDelivery[] {
    const held: MemoryDelivery[] = [];
    for (let delivery = this.#firstInHand; delivery !== undefined; delivery = delivery.next) held.push(delivery);
    return held;
  }

  /** Ends the consumer; what it has in hand comes again. */
  stop(): void {
    this.#consumer = undefined;
    this.#hungry = false;
    for (const timer of this.#delayed) timer[Symbol.dispose]();
    for (const delivery of this.#heldNow()) {
      this.#release(delivery);
      this.#again.push(delivery);
    }
    this.#again.sort((a, b) => a.ordinal - b.ordinal);
  }

  /** Ends the trigger: nothing of it counts any more. */
  discard(): void {
    this.#removed = true;
    this.stop();
    for (const delivery of [...this.#again, ...this.#waiting.slice(this.#head)]) this.settle(delivery);
    this.#again.length = 0;
    this.#waiting = [];
    this.#head = 0;
    for (const parked of this.state.parked.values()) if (parked.trigger === this.name) this.state.parked.delete(parked.id);
  }

  settle(delivery: MemoryDelivery): void {
    if (!this.window.ack(delivery.ordinal)) return;
    if (!this.#release(delivery)) {
      const at = this.#again.indexOf(delivery);
      if (at >= 0) this.#again.splice(at, 1);
    }
    this.#forget(delivery.entry);
  }

  #forget(entry: MemoryEntry): void {
    if (--entry.pending > 0) return;
    this.state.pendingEvents--;
    this.state.pendingBytes -= entry.bytes;
  }

  giveBack(delivery: MemoryDelivery, delayMs: number): void {
    if (!delivery.inHand) return;
    const timer = this.state.clock.setTimer(delayMs, () => {
      this.#delayed.delete(timer);
      if (!this.#release(delivery)) return;
      this.#again.push(delivery);
      if (this.#hungry) this.#tell();
    });
    this.#delayed.add(timer);
  }

  park(delivery: MemoryDelivery, reason: ParkReason): void {
    const { state } = this;
    const { event, rawHeaders } = delivery;
    const id = String(++state.parkedCount);
    state.parked.set(id, { ...reason, id, trigger: this.name, event, rawHeaders, timeMs: state.clock.now() });
    for (const oldest of state.parked.keys()) {
      if (state.parked.size <= state.parkedMax) break;
      state.parked.delete(oldest);
    }
    this.settle(delivery);
  }

  stats(): Promise<TriggerStats> {
    const open = [...this.#again, ...this.#heldNow(), ...this.#waiting.slice(this.#head, this.#head + 1)];
    return Promise.resolve({
      backlog: this.backlog,
      inHand: this.#inHand,
      lowWatermark: this.window.lowWatermark,
      acknowledged: this.window.ranges(),
      oldestMs: open.length === 0 ? undefined : Math.min(...open.map(({ timeMs }) => timeMs)),
      parked: [...this.state.parked.values()].filter(({ trigger }) => trigger === this.name).length,
    });
  }
}

class MemoryDelivery implements LogDelivery {
  readonly entry: MemoryEntry;
  readonly ordinal: number;
  readonly #trigger: MemoryTrigger;
  attempt = 0;
  inHand = false;
  previous: MemoryDelivery | undefined;
  next: MemoryDelivery | undefined;

  constructor(trigger: MemoryTrigger, entry: MemoryEntry, ordinal: number) {
    this.#trigger = trigger;
    this.entry = entry;
    this.ordinal = ordinal;
  }

  get event(): EventMessage {
    return this.entry.event;
  }

  get rawHeaders(): readonly string[] {
    return this.entry.rawHeaders;
  }

  get position(): number {
    return this.entry.position;
  }

  get timeMs(): number {
    return this.entry.timeMs;
  }

  ack(): void {
    this.#trigger.settle(this);
  }

  nack(delayMs: number): void {
    this.#trigger.giveBack(this, delayMs);
  }

  park(reason: ParkReason): undefined {
    this.#trigger.park(this, reason);
  }
}
