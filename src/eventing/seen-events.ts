import type { Clock } from '../clock.ts';
import type { EventMessage } from '../cloudevents/event-message.ts';
import type { PublishResult } from './broker-types.ts';

/** The events of a window of time by source and id, oldest first, with what became of each. */
export class SeenEvents {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #eventsMax: number;
  readonly #seen = new Map<string, { readonly atMs: number; readonly result: Promise<PublishResult> | undefined }>();

  constructor(clock: Clock, windowMs: number, eventsMax = 100_000) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#eventsMax = eventsMax;
  }

  /** The answer to an event that came before; while that one is being stored the promise of it. */
  find(event: EventMessage): Promise<PublishResult> | undefined {
    const entry = this.#seen.get(keyOf(event));
    if (entry === undefined || entry.atMs <= this.#clock.now() - this.#windowMs) return undefined;
    const { result } = entry;
    return result === undefined ? Promise.resolve(asDuplicate(undefined)) : result.then(asDuplicate);
  }

  add(event: EventMessage, result: Promise<PublishResult> | undefined, atMs = this.#clock.now()): void {
    const key = keyOf(event);
    this.#seen.delete(key);
    const entry = { atMs, result };
    this.#seen.set(key, entry);
    // What was not stored has not been seen.
    result?.catch(() => {
      if (this.#seen.get(key) === entry) this.#seen.delete(key);
    });
    for (const [oldest, { atMs: seenMs }] of this.#seen) {
      if (this.#seen.size <= this.#eventsMax && seenMs > this.#clock.now() - this.#windowMs) break;
      this.#seen.delete(oldest);
    }
  }
}

function asDuplicate(result: PublishResult | undefined): PublishResult {
  return { triggers: result?.triggers ?? [], duplicate: true };
}

function keyOf({ source, id }: EventMessage): string {
  return `${source}\n${id}`;
}
