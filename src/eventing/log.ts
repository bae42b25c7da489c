import type { EventMessage } from '../cloudevents/event-message.ts';
import { KnativeError } from '../errors.ts';

/**
 * What a log can do besides taking events and handing them out.
 * - `replay`: events can be read again from a position or a time, also after they were acknowledged, as long as they are retained.
 * - `ack-single`: an event can be acknowledged while an earlier one of the same trigger is not; after a restart only those that were not
 *   acknowledged come again. Without it a restart repeats everything after the first one that was not.
 * - `extend`: a delivery can be kept beyond `ackWaitMs`. A log that sets `ackWaitMs` has it, or its deliveries may come twice.
 */
export type LogCapability = 'replay' | 'ack-single' | 'extend';

/** An event in the log. */
export interface StoredEvent {
  /** Grows with every event of the log; gaps are allowed. 0 is before the first one. */
  readonly position: number;
  /** When it was appended, milliseconds since 1970. */
  readonly timeMs: number;
  readonly event: EventMessage;
  /** What travels beside it, see `EventLog.append`. */
  readonly rawHeaders: readonly string[];
  /** Names of the triggers that it was appended for. */
  readonly triggers: readonly string[];
}

/** Why an event was set aside. */
export interface ParkReason {
  /** Who failed: URL of the subscriber or of the dead letter sink, or `function`. */
  readonly destination: string;
  /** Status of the last answer; 500 when there was none. */
  readonly status: number;
  /** Start of the answer's body, or the text of the error. */
  readonly message: string;
  /** Deliveries tried, over all restarts that the log knows of. */
  readonly attempts: number;
}

/** An event that could not be delivered to one trigger and waits for somebody to redrive or drop it. */
export interface ParkedEvent extends ParkReason {
  /** Names it within the log; the driver's own form. */
  readonly id: string;
  readonly trigger: string;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  /** When it was parked, milliseconds since 1970. */
  readonly timeMs: number;
}

/**
 * One event on its way to one trigger. Exactly one of `ack`, `nack` and `park` is called, at any time, also after the consumer was closed
 * (then it may have no effect, and the event comes again).
 */
export interface LogDelivery {
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly position: number;
  /** When the event was appended, milliseconds since 1970. */
  readonly timeMs: number;
  /** 1 for the first time that the log hands this event to this trigger; counted across restarts where the log can, else from 1 again. */
  readonly attempt: number;
  /** The event is done for this trigger. May reach the disk or server later, so that a crash repeats the delivery. */
  ack(): void;
  /** Hand it out again after `delayMs`. */
  nack(delayMs: number): void;
  /** Sets it aside with the reason; it is done for the trigger once this has resolved. `undefined`: it is so at once. */
  park(reason: ParkReason): Promise<void> | undefined;
  /** Only with the capability `extend`: counts `ackWaitMs` from now again. */
  extend?(): void;
}

/** Takes the events of one trigger. Pulled, so that the taker's pace is the flow control. */
export interface LogConsumer {
  /** The next event, in order of appending; `undefined` when none is at hand, then `onReady` tells when there is one. Never blocks. */
  next(): LogDelivery | undefined;
  /** Stops. What was handed out and not acknowledged, and what was fetched ahead, goes to the next consumer. */
  close(): void;
}

export interface ConsumeOptions {
  /**
   * Called once after `next` has returned `undefined`, when there is something again; also once at the start if there is. Called
   * synchronously by `append` where the log can, so it must only note the fact.
   */
  readonly onReady: () => void;
  /** The most that the taker has in hand at a time: how far a driver may fetch ahead. */
  readonly prefetch: number;
}

export interface TriggerStats {
  /** Events not acknowledged, those in hand included. */
  readonly backlog: number;
  /** Handed out and neither acknowledged nor given back. */
  readonly inHand: number;
  /** Every event up to this position is done for the trigger. */
  readonly lowWatermark: number;
  /** What is done above it, as ranges of positions, first and last inclusive. */
  readonly acknowledged: readonly (readonly [number, number])[];
  /** When the oldest event that is not done was appended, `undefined` without backlog. */
  readonly oldestMs: number | undefined;
  readonly parked: number;
}

/** One trigger's share of a log. The log makes it; `append` takes only its own. */
export interface LogTrigger {
  readonly name: string;
  /** Events not acknowledged, as far as the log knows without asking anybody. */
  readonly backlog: number;
  /** One consumer at a time; a second one throws EVENTING_LOG_CONSUMED. */
  consume(options: ConsumeOptions): LogConsumer;
  stats(): Promise<TriggerStats>;
}

export interface LogStats {
  readonly firstPosition: number;
  /** Position of the newest event, 0 in an empty log. */
  readonly lastPosition: number;
  /** Events kept, acknowledged ones within retention included. */
  readonly events: number;
  readonly bytes: number;
}

export interface ReadOptions {
  /** First position; default the oldest. Wins over `fromMs`. */
  readonly fromPosition?: number;
  /** Only events appended at or after this time. */
  readonly fromMs?: number;
  /** Last position; default the newest at the time of the call: a read ends. */
  readonly toPosition?: number;
}

/**
 * Where a broker keeps events: the port. An event is stored once with the triggers it matched. Nothing whose `append` is done is ever
 * lost within what the log promises. Drivers decide their own format; a file carries a format version from the first byte.
 */
export interface EventLog extends AsyncDisposable {
  /** `memory`, `file`, `jetstream`, … */
  readonly kind: string;
  /** What `append` promises, one sentence for people. */
  readonly guarantee: string;
  readonly capabilities: ReadonlySet<LogCapability>;
  /** A delivery that is in hand for longer than this, without `extend`, may be handed out again. `undefined`: never. */
  readonly ackWaitMs?: number | undefined;
  /**
   * Recovers what is there; called once, before all else, awaited. Rejects with EVENTING_LOG_DAMAGED when stored events cannot be trusted,
   * EVENTING_LOG_FORMAT for a format of another version, EVENTING_LOG_REFUSED when the server cannot keep what the log promises.
   */
  open(): Promise<void>;
  /** The trigger of a name, made when it is new; its backlog of former runs is there. Synchronous after `open`. */
  trigger(name: string): LogTrigger;
  /** Names of the triggers that the log knows, also those that nobody has asked for in this run. */
  readonly triggers: readonly string[];
  /** Forgets a trigger with its backlog and what it parked. `trigger` gives a new, empty one from the call on. */
  remove(name: string): Promise<void>;
  /**
   * Stores an event. `undefined`: it is as durable as the log makes it now. A promise resolves when it is; drivers batch everything that
   * arrives during a commit and may return the same promise for all of it. Throws or rejects with `LogFullError`, and with
   * EVENTING_LOG_UNAVAILABLE (503) when disk or server fail: then the event may or may not be stored. Without triggers it is kept for
   * replay only. An event is not handed out before it is durable. `rawHeaders`, names and values in turn, mostly empty, is stored
   * with it: trace context and the headers that upstream passes on. What is read back is the same event: attributes with their types, and
   * data as the value or the bytes that they were (`EventMessage.hasValue`). The arrays are kept, not copied: they must not change afterwards.
   * `nowMs` is the time that the caller has just read from its clock, so that the log need not; default: the log reads its own.
   */
  append(
    event: EventMessage,
    triggers: readonly LogTrigger[],
    rawHeaders: readonly string[],
    nowMs?: number,
  ): Promise<void> | undefined;
  /** Only with the capability `replay`: stored events in order, ending with the newest. */
  read?(options?: ReadOptions): AsyncIterable<StoredEvent>;
  /** What was set aside, oldest first; of one trigger or of all. */
  parked(trigger?: string): AsyncIterable<ParkedEvent>;
  /** Drops a parked event, false when there is no such. The broker redrives by appending the event again and then dropping it. */
  unpark(id: string): Promise<boolean>;
  stats(): Promise<LogStats>;
  /** Makes durable what is not, then lets go of files and connections. */
  close(): Promise<void>;
}

/** The log takes no more for now. Edges answer 429 with Retry-After. */
export class LogFullError extends KnativeError {
  /** When it is worth to try again. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 1_000) {
    super('EVENTING_LOG_FULL', message, {
      status: 429,
      hint: 'wait for the subscribers, pause the senders, or give the log more room',
    });
    this.retryAfterMs = retryAfterMs;
  }
}
