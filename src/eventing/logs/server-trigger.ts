import type { Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { ConsumeOptions, LogConsumer, LogTrigger, ParkReason, TriggerStats } from '../log.ts';
import { DeliveryQueue, type QueuedDelivery } from './delivery-queue.ts';

/** A message of a server. The same event may come again as another message. */
export interface ServerMessage {
  readonly position: number;
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  /** Deliveries before this one that the server knows of. */
  readonly deliveredBefore: number;
  ack(): void;
  extend?(): void;
  /** Gives it back to the server. */
  release?(): void;
}

/** What a trigger needs of its log. */
export interface ServerHome {
  readonly clock: Clock;
  /** There is room for more, or a consumer has come. */
  fetch(trigger: ServerTrigger): void;
  park(trigger: ServerTrigger, delivery: ServerMessage, reason: ParkReason): Promise<void>;
  /** Asks the server: events that wait there and were not sent here, and up to where everything is done if the server knows. */
  ask(trigger: ServerTrigger): Promise<{ readonly waiting: number | undefined; readonly floor: number }>;
  parkedCount(name: string): number;
}

/** How many settled positions are remembered, so that what a server sends again after a cut is not handed out again. */
const settledMax = 20_000;

/** One trigger of a log with a server behind it. What the server sends again while it is here, or was done here, is not handed out twice. */
export class ServerTrigger implements LogTrigger {
  readonly name: string;
  readonly share: string;
  /** Resolves when the server has it. */
  ready: Promise<void> = Promise.resolve();
  removed = false;
  /** A loop is fetching for it. */
  fetching = false;
  backlog = 0;
  readonly queue: DeliveryQueue<ServerDelivery>;
  readonly #home: ServerHome;
  readonly #held = new Map<number, ServerDelivery>();
  readonly #settled = new Set<number>();
  #entered = 0;
  /** The newest position that was settled here: what `ask` can say when the server does not know. */
  doneUpTo = 0;

  constructor(name: string, share: string, home: ServerHome) {
    this.name = name;
    this.share = share;
    this.#home = home;
    this.queue = new DeliveryQueue(name, home.clock, () => home.fetch(this));
  }

  /** More should be fetched. */
  get wants(): boolean {
    return !this.removed && this.queue.prefetch > 0 && this.queue.ready < this.queue.prefetch;
  }

  get held(): number {
    return this.#held.size;
  }

  /** True when the position is in hand or waits here. */
  holds(position: number): boolean {
    return this.#held.has(position);
  }

  receive(message: ServerMessage): void {
    if (this.removed) return;
    const held = this.#held.get(message.position);
    if (held !== undefined) held.message = message;
    else if (this.#settled.has(message.position)) message.ack();
    else {
      const delivery = new ServerDelivery(this, message, ++this.#entered);
      this.#held.set(message.position, delivery);
      this.queue.push(delivery);
    }
  }

  settle(delivery: ServerDelivery): void {
    if (!this.#held.delete(delivery.position)) return;
    this.queue.settle(delivery);
    this.#settled.add(delivery.position);
    this.doneUpTo = Math.max(this.doneUpTo, delivery.position);
    if (this.#settled.size > settledMax) {
      for (const oldest of this.#settled) {
        this.#settled.delete(oldest);
        break;
      }
    }
    this.backlog = Math.max(0, this.backlog - 1);
    delivery.message.ack();
  }

  async park(delivery: ServerDelivery, reason: ParkReason): Promise<void> {
    await this.#home.park(this, delivery.message, reason);
    this.settle(delivery);
  }

  consume(options: ConsumeOptions): LogConsumer {
    return this.queue.consume(options);
  }

  /** Gives everything that is here back to the server. */
  release(): void {
    this.queue.stop();
    for (const { message } of this.#held.values()) message.release?.();
    this.#held.clear();
    this.queue.clear();
  }

  discard(): void {
    this.removed = true;
    this.queue.stop();
    this.queue.clear();
    this.#held.clear();
    this.backlog = 0;
  }

  async stats(): Promise<TriggerStats> {
    const { waiting, floor } = await this.#home.ask(this);
    if (waiting !== undefined) this.backlog = waiting + this.#held.size;
    let low = this.#held.size === 0 ? floor : Infinity;
    for (const position of this.#held.keys()) low = Math.min(low, position - 1);
    return {
      backlog: this.backlog,
      inHand: this.queue.inHand,
      lowWatermark: low,
      acknowledged: rangesAbove(this.#settled, low),
      oldestMs: this.queue.oldest?.timeMs,
      parked: this.#home.parkedCount(this.name),
    };
  }
}

/** Positions as ranges, as far as they follow one another. */
function rangesAbove(positions: Iterable<number>, low: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (const position of [...positions].filter((each) => each > low).sort((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open?.[1] === position - 1) open[1] = position;
    else ranges.push([position, position]);
  }
  return ranges;
}

export class ServerDelivery implements QueuedDelivery {
  /** The newest message of the event: the one to acknowledge. */
  message: ServerMessage;
  readonly ordinal: number;
  readonly #trigger: ServerTrigger;
  attempt: number;

  constructor(trigger: ServerTrigger, message: ServerMessage, ordinal: number) {
    this.#trigger = trigger;
    this.message = message;
    this.ordinal = ordinal;
    this.attempt = message.deliveredBefore;
  }

  get event(): EventMessage {
    return this.message.event;
  }

  get rawHeaders(): readonly string[] {
    return this.message.rawHeaders;
  }

  get position(): number {
    return this.message.position;
  }

  get timeMs(): number {
    return this.message.timeMs;
  }

  ack(): void {
    this.#trigger.settle(this);
  }

  nack(delayMs: number): void {
    this.#trigger.queue.giveBack(this, delayMs);
  }

  park(reason: ParkReason): Promise<void> {
    return this.#trigger.park(this, reason);
  }

  extend(): void {
    this.message.extend?.();
  }
}
