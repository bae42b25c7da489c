import type { Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { ConsumeOptions, LogConsumer, LogTrigger, ParkReason, TriggerStats } from '../log.ts';
import { AckWindow } from './ack-window.ts';
import { DeliveryQueue, type QueuedDelivery } from './delivery-queue.ts';
import type { TriggerCursor } from './file-state.ts';
import type { Segment } from './file-segment.ts';

export interface FileEntry {
  readonly position: number;
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
}

/** A record in a file: where a trigger goes on reading. */
export interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

/** What a trigger needs of its log. */
export interface TriggerHome {
  readonly clock: Clock;
  /** Deliveries that a trigger keeps in memory. */
  readonly bufferedMax: number;
  /** Everything up to it is on disk. */
  readonly durable: number;
  /** There is something to write down for the trigger. */
  dirty(trigger: FileTrigger): void;
  /** Reads on for a trigger that is behind: calls `loaded` until it returns false, then `paused`. */
  load(trigger: FileTrigger, from: Place): void;
  park(trigger: FileTrigger, position: number, entry: FileEntry, reason: ParkReason): Promise<void>;
  parkedCount(name: string): number;
}

/**
 * The events of one trigger. It keeps a bounded number of them in memory; with more it is behind, and reads from the files from the place
 * where it stopped.
 */
export class FileTrigger implements LogTrigger {
  readonly name: string;
  readonly #home: TriggerHome;
  readonly #queue: DeliveryQueue<FileDelivery>;
  readonly #window: AckWindow;
  /** Done above the low watermark when the log was opened, as far as it was not read yet. */
  #recovered: readonly (readonly [number, number])[];
  /** Where the first event lies that is not in memory; `undefined` when all are. */
  #behind: Place | undefined;
  #behindPosition = 0;
  #loading = false;
  backlog = 0;
  removed = false;

  constructor(name: string, home: TriggerHome, cursor: TriggerCursor) {
    this.name = name;
    this.#home = home;
    this.#window = new AckWindow(cursor.low);
    this.#recovered = cursor.ranges;
    this.#queue = new DeliveryQueue(name, home.clock, () => this.#wanted());
  }

  /** An event of a former run that this trigger has not done. Called in order while the log opens. */
  recovered(position: number, place: Place): void {
    this.backlog++;
    if (this.#behind !== undefined) return;
    this.#behind = place;
    this.#behindPosition = position;
  }

  isDone(position: number): boolean {
    return position <= this.#window.lowWatermark || inRanges(this.#recovered, position);
  }

  /** An event has become durable. */
  stored(entry: FileEntry, segment: Segment, offset: number): void {
    if (this.removed) return;
    this.backlog++;
    if (this.#behind !== undefined) return;
    if (this.#queue.ready < this.#home.bufferedMax) this.#push(entry);
    else {
      this.#behind = { segment, offset };
      this.#behindPosition = entry.position;
    }
  }

  #push(entry: FileEntry): void {
    this.#queue.push(new FileDelivery(this, entry, this.#window.add(entry.position)));
  }

  #wanted(): void {
    if (this.#behind === undefined || this.#loading || this.removed || this.#queue.prefetch === 0) return;
    if (this.#queue.ready > this.#home.bufferedMax / 4) return;
    this.#loading = true;
    this.#home.load(this, this.#behind);
  }

  /** Takes an event that was read; false when there is room for no more after it. */
  loaded(entry: () => FileEntry, position: number): boolean {
    if (position < this.#behindPosition) return true;
    this.#behindPosition = position + 1;
    if (inRanges(this.#recovered, position)) {
      this.#window.ack(this.#window.add(position));
      return true;
    }
    this.#push(entry());
    return !this.removed && this.#queue.ready < this.#home.bufferedMax;
  }

  /** The reading is over: at `next`, or at the end of what is there. */
  paused(next: Place | undefined, position: number): void {
    this.#loading = false;
    if (this.removed) return;
    this.#behind = next;
    this.#behindPosition = position;
    if (next === undefined) {
      this.#recovered = [];
      // Damage that was skipped while reading: what is gone is not waiting any more.
      this.backlog = this.#window.pending;
    }
    this.#wanted();
  }

  /** The position behind which everything that was read from here is not in memory. */
  get cursor(): TriggerCursor {
    const low = this.low;
    const rest = this.#recovered.filter(([, last]) => last >= this.#behindPosition);
    return { low, ranges: [...this.#window.ranges(), ...rest] };
  }

  /** Everything up to it is done. */
  get low(): number {
    const open = this.#window.oldest ?? (this.#behind === undefined ? undefined : this.#behindPosition);
    return open === undefined ? this.#home.durable : open - 1;
  }

  consume(options: ConsumeOptions): LogConsumer {
    return this.#queue.consume(options);
  }

  settle(delivery: FileDelivery): void {
    if (this.removed || !this.#window.ack(delivery.ordinal)) return;
    this.#queue.settle(delivery);
    this.backlog--;
    this.#home.dirty(this);
  }

  giveBack(delivery: FileDelivery, delayMs: number): void {
    this.#queue.giveBack(delivery, delayMs);
  }

  async park(delivery: FileDelivery, reason: ParkReason): Promise<void> {
    await this.#home.park(this, delivery.position, delivery.entry, reason);
    this.settle(delivery);
  }

  stop(): void {
    this.#queue.stop();
  }

  discard(): void {
    this.removed = true;
    this.#queue.stop();
    this.#queue.clear();
    this.backlog = 0;
    this.#behind = undefined;
  }

  stats(): Promise<TriggerStats> {
    const { low, ranges } = this.cursor;
    return Promise.resolve({
      backlog: this.backlog,
      inHand: this.#queue.inHand,
      lowWatermark: low,
      acknowledged: ranges,
      // Without a consumer nothing was read yet, and the segment's age is the best that is known.
      oldestMs: this.#queue.oldest?.timeMs ?? this.#behind?.segment.header.createdMs,
      parked: this.#home.parkedCount(this.name),
    });
  }
}

export function inRanges(ranges: readonly (readonly [number, number])[], position: number): boolean {
  for (const [first, last] of ranges) if (position >= first && position <= last) return true;
  return false;
}

class FileDelivery implements QueuedDelivery {
  readonly entry: FileEntry;
  readonly ordinal: number;
  readonly #trigger: FileTrigger;
  attempt = 0;

  constructor(trigger: FileTrigger, entry: FileEntry, ordinal: number) {
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

  park(reason: ParkReason): Promise<void> {
    return this.#trigger.park(this, reason);
  }
}
