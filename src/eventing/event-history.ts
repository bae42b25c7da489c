import type { EventMessage } from '../cloudevents/event-message.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { DeliveryJob } from './delivery-job.ts';
import type { ParkReason } from './log.ts';
import type { DeliveryObserver, SendObserver } from './observe.ts';

export interface HistoryOptions {
  /** Events remembered; default 1,000. */
  readonly eventsMax?: number;
}

/** One try of a delivery. */
export interface TryRecord {
  readonly atMs: number;
  readonly endMs: number;
  /** Status of the answer; 200 for a function that returned. */
  readonly status: number;
  readonly error?: string;
}

/** What became of an event for one trigger. */
export interface DeliveryRecord {
  readonly trigger: string;
  readonly tries: readonly TryRecord[];
  /** Where it stands: tries may follow while `pending`. */
  readonly state: 'pending' | 'delivered' | 'deadLetter' | 'parked';
  readonly reason?: ParkReason;
}

/** One event as a broker took it in. */
export interface EventRecord {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly atMs: number;
  /** The event that this one answers, when it is a reply. */
  readonly replyTo: { readonly id: string; readonly source: string; readonly trigger: string } | undefined;
  /** Hops that it had left. */
  readonly ttl: number;
  readonly deliveries: readonly DeliveryRecord[];
}

interface Delivery {
  readonly trigger: string;
  readonly tries: TryRecord[];
  state: DeliveryRecord['state'];
  reason?: ParkReason;
}

interface Entry extends EventRecord {
  readonly deliveries: Delivery[];
}

/** Remembers the newest events of a broker and what became of them: for people who ask why. */
export class EventHistory implements DeliveryObserver {
  readonly #clock: Clock;
  readonly #eventsMax: number;
  readonly #entries = new Map<EventMessage, Entry>();
  readonly #began = new WeakMap<DeliveryJob, number>();

  constructor(clock: Clock, { eventsMax = 1_000 }: HistoryOptions) {
    this.#clock = clock;
    this.#eventsMax = eventsMax;
  }

  published(event: EventMessage, ttl: number, triggers: readonly string[], replyTo: EventRecord['replyTo']): void {
    const { id, source, type } = event;
    const deliveries = triggers.map((trigger): Delivery => ({ trigger, tries: [], state: 'pending' }));
    this.#entries.set(event, { id, source, type, atMs: this.#clock.now(), replyTo, ttl, deliveries });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#eventsMax) break;
      this.#entries.delete(oldest);
    }
  }

  /** The event and the replies that it led to, in the order in which they came in. */
  of(id: string, source: string | undefined): EventRecord[] {
    const found = new Set<Entry>();
    const keys = new Set<string>();
    for (const entry of this.#entries.values()) {
      const { replyTo } = entry;
      const asked = entry.id === id && (source === undefined || entry.source === source);
      if (!asked && (replyTo === undefined || !keys.has(keyOf(replyTo)))) continue;
      found.add(entry);
      keys.add(keyOf(entry));
    }
    return [...found].map((entry) => structuredClone(entry));
  }

  #delivery(job: DeliveryJob): Delivery | undefined {
    return this.#entries.get(job.event)?.deliveries.find(({ trigger }) => trigger === job.trigger);
  }

  begin(job: DeliveryJob): void {
    this.#began.set(job, this.#clock.now());
  }

  sends(job: DeliveryJob): SendObserver | undefined {
    this.begin(job);
    return undefined;
  }

  end(job: DeliveryJob, status: number, error: unknown): void {
    const delivery = this.#delivery(job);
    if (delivery === undefined) return;
    const endMs = this.#clock.now();
    const text = error === undefined ? {} : { error: messageOf(error) };
    delivery.tries.push({ atMs: this.#began.get(job) ?? endMs, endMs, status, ...text });
    if (status >= 200 && status <= 299) delivery.state = 'delivered';
  }

  deadLetter(job: DeliveryJob, status: number): void {
    const delivery = this.#delivery(job);
    if (delivery !== undefined && status >= 200 && status <= 299) delivery.state = 'deadLetter';
  }

  parked(job: DeliveryJob, reason: ParkReason): void {
    const delivery = this.#delivery(job);
    if (delivery === undefined) return;
    delivery.state = 'parked';
    delivery.reason = reason;
  }
}

function keyOf({ id, source }: { readonly id: string; readonly source: string }): string {
  return `${source}\n${id}`;
}
