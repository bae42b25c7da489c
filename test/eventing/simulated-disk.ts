import type { Clock } from '../../src/clock.ts';
import type { EventMessage } from '../../src/cloudevents/event-message.ts';
import type { EventLog, LogConsumer, LogDelivery, LogTrigger } from '../../src/eventing/log.ts';
import { memoryLog } from '../../src/eventing/logs/memory.ts';
import type { Random } from '../../src/random.ts';

interface Kept {
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly open: Set<string>;
}

/**
 * A disk on virtual time for tests: appends and acknowledgements are written after a random delay, a crash loses what is not written.
 * Each life of the process gets a log that starts with what the disk holds.
 */
export class SimulatedDisk {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #kept: Kept[] = [];
  readonly #triggers = new Set<string>();
  /** Events whose acknowledgement was lost in a crash: their deliveries are repeated. */
  lostAcks = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A log for one life; it stops writing at `crash`. */
  life(): { readonly log: EventLog; crash(): void } {
    const inner = memoryLog({ clock: this.#clock });
    let alive = true;
    // Writes reach the disk in the order in which they were asked for.
    let lastMs = 0;
    const later = (run: () => void): void => {
      const nowMs = this.#clock.now();
      lastMs = Math.max(lastMs, nowMs + 1 + this.#random() * 20);
      this.#clock.setTimer(lastMs - nowMs, () => {
        if (alive) run();
      });
    };
    const keptOf = new Map<EventMessage, Kept>();
    const triggerOf = (name: string): LogTrigger => {
      this.#triggers.add(name);
      const own = inner.trigger(name);
      return {
        name,
        get backlog() {
          return own.backlog;
        },
        stats: () => own.stats(),
        consume: (options) => watched(own.consume(options), name),
      };
    };
    const watched = (consumer: LogConsumer, name: string): LogConsumer => ({
      next: () => {
        const delivery = consumer.next();
        return delivery && acking(delivery, name);
      },
      close: () => consumer.close(),
    });
    const done = (event: EventMessage, name: string): void => {
      const kept = keptOf.get(event);
      if (kept === undefined) return;
      let written = false;
      later(() => {
        written = true;
        kept.open.delete(name);
      });
      pending.add(() => (written ? 0 : 1));
    };
    const pending = new Set<() => number>();
    const acking = (delivery: LogDelivery, name: string): LogDelivery => ({
      event: delivery.event,
      rawHeaders: delivery.rawHeaders,
      position: delivery.position,
      timeMs: delivery.timeMs,
      attempt: delivery.attempt,
      nack: (delayMs) => delivery.nack(delayMs),
      ack() {
        delivery.ack();
        done(delivery.event, name);
      },
      park(reason) {
        done(delivery.event, name);
        return delivery.park(reason);
      },
    });
    const innerTriggers = (names: Iterable<string>): LogTrigger[] => [...names].map((name) => inner.trigger(name));
    const restore = (kept: Kept): void => {
      keptOf.set(kept.event, kept);
      void inner.append(kept.event, innerTriggers(kept.open), kept.rawHeaders);
    };
    for (const name of this.#triggers) inner.trigger(name);
    for (const kept of this.#kept) if (kept.open.size > 0) restore(kept);
    const log: EventLog = {
      kind: 'simulated',
      guarantee: 'written before it is acknowledged',
      capabilities: new Set(['ack-single'] as const),
      open: () => Promise.resolve(),
      trigger: triggerOf,
      get triggers() {
        return inner.triggers;
      },
      remove: (name) => inner.remove(name),
      append: (event, triggers, rawHeaders) =>
        new Promise((resolve) =>
          later(() => {
            const kept = { event, rawHeaders, open: new Set(triggers.map(({ name }) => name)) };
            this.#kept.push(kept);
            resolve();
            restore(kept);
          }),
        ),
      parked: (trigger) => inner.parked(trigger),
      unpark: (id) => inner.unpark(id),
      stats: () => inner.stats(),
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner.close(),
    };
    return {
      log,
      crash: () => {
        alive = false;
        for (const lost of pending) this.lostAcks += lost();
      },
    };
  }
}
