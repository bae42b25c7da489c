import type { Clock } from '../../clock.ts';
import { realClock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { KnativeError } from '../../errors.ts';
import { LogFullError, type EventLog, type LogTrigger, type ParkedEvent, type StoredEvent } from '../log.ts';
import { MemoryTrigger, type MemoryEntry, type MemoryLogState } from './memory-trigger.ts';

export interface MemoryLogOptions {
  readonly clock?: Clock;
  /** Events that are not done for all their triggers; more are refused with `LogFullError`. Default 100,000. */
  readonly eventsMax?: number;
  /** Bytes of their bodies, those that came as bytes. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Newest events that `read` can give again, done or not. Default 1,000; 0 switches replay off. */
  readonly replayEvents?: number;
  /** Parked events over all triggers; more push out the oldest. Default 10,000. */
  readonly parkedMax?: number;
}

/** Keeps events in memory: nothing survives the process. */
export function memoryLog(options: MemoryLogOptions = {}): EventLog {
  return new MemoryLog(options);
}

class MemoryLog implements EventLog {
  readonly kind = 'memory';
  readonly guarantee = 'events are lost with the process';
  readonly capabilities: EventLog['capabilities'];
  readonly #triggers = new Map<string, MemoryTrigger>();
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  /** The newest events, a ring: `#last % length` is the place of the newest. */
  readonly #recent: (MemoryEntry | undefined)[];
  readonly #state: MemoryLogState;
  #last = 0;
  #closed = false;

  constructor(options: MemoryLogOptions) {
    this.#eventsMax = options.eventsMax ?? 100_000;
    this.#bytesMax = options.bytesMax ?? 256 * 1024 * 1024;
    this.#recent = Array.from({ length: options.replayEvents ?? 1_000 }, () => undefined);
    this.#state = {
      clock: options.clock ?? realClock,
      parked: new Map(),
      parkedMax: options.parkedMax ?? 10_000,
      parkedCount: 0,
      pendingEvents: 0,
      pendingBytes: 0,
    };
    this.capabilities = new Set(this.#recent.length > 0 ? (['ack-single', 'replay'] as const) : (['ack-single'] as const));
    if (this.#recent.length > 0) this.read = (range) => this.#read(range?.fromPosition, range?.fromMs, range?.toPosition);
  }

  readonly read?: NonNullable<EventLog['read']>;

  open(): Promise<void> {
    return Promise.resolve();
  }

  get triggers(): readonly string[] {
    return [...this.#triggers.keys()];
  }

  trigger(name: string): MemoryTrigger {
    let trigger = this.#triggers.get(name);
    if (trigger === undefined) this.#triggers.set(name, (trigger = new MemoryTrigger(name, this.#state, this.#last)));
    return trigger;
  }

  remove(name: string): Promise<void> {
    this.#triggers.get(name)?.discard();
    this.#triggers.delete(name);
    return Promise.resolve();
  }

  append(event: EventMessage, triggers: readonly LogTrigger[], rawHeaders: readonly string[], nowMs?: number): undefined {
    const state = this.#state;
    if (this.#closed) throw new KnativeError('EVENTING_LOG_UNAVAILABLE', 'the log is closed', { status: 503 });
    if (state.pendingEvents >= this.#eventsMax || state.pendingBytes >= this.#bytesMax) {
      throw new LogFullError(`the log holds ${state.pendingEvents} events that are not delivered`);
    }
    const entry: MemoryEntry = {
      position: ++this.#last,
      timeMs: nowMs ?? state.clock.now(),
      event,
      rawHeaders,
      triggers,
      pending: triggers.length,
      bytes: event.hasValue ? 0 : (event.body?.length ?? 0),
    };
    if (this.#recent.length > 0) this.#recent[entry.position % this.#recent.length] = entry;
    if (triggers.length === 0) return;
    state.pendingEvents++;
    state.pendingBytes += entry.bytes;
    for (const trigger of triggers) {
      if (trigger instanceof MemoryTrigger) trigger.push(entry);
    }
  }

  async *#read(fromPosition: number | undefined, fromMs = 0, toPosition = this.#last): AsyncIterable<StoredEvent> {
    let position = Math.max(fromPosition ?? 1, this.#last - this.#recent.length + 1, 1);
    for (; position <= toPosition; position++) {
      const entry = this.#recent[position % this.#recent.length];
      if (entry?.position !== position || (fromPosition === undefined && entry.timeMs < fromMs)) continue;
      const { timeMs, event, rawHeaders, triggers } = entry;
      yield await Promise.resolve({ position, timeMs, event, rawHeaders, triggers: triggers.map(({ name }) => name) });
    }
  }

  async *parked(trigger?: string): AsyncIterable<ParkedEvent> {
    for (const parked of [...this.#state.parked.values()]) {
      if (trigger === undefined || parked.trigger === trigger) yield await Promise.resolve(parked);
    }
  }

  unpark(id: string): Promise<boolean> {
    return Promise.resolve(this.#state.parked.delete(id));
  }

  stats(): ReturnType<EventLog['stats']> {
    const kept = this.#recent.filter((entry) => entry !== undefined);
    return Promise.resolve({
      firstPosition: kept.length === 0 ? 0 : Math.min(...kept.map(({ position }) => position)),
      lastPosition: this.#last,
      events: Math.max(kept.length, this.#state.pendingEvents),
      bytes: this.#state.pendingBytes,
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const trigger of this.#triggers.values()) trigger.stop();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
