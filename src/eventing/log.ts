import type { EventMessage } from '../cloudevents/event-message.ts';

/** An event with the names of the triggers that it matched when it came in. */
export interface MatchedEvent {
  readonly event: EventMessage;
  readonly triggers: readonly string[];
}

/** One event on its way to one trigger. Exactly one of `ack` and `nack` is called. */
export interface LogDelivery {
  readonly event: EventMessage;
  /** 1 for the first delivery of this event to this trigger, counted across restarts where the log can. */
  readonly attempt: number;
  /** The event is done for this trigger. */
  ack(): void;
  /** Deliver it again after `delayMs`. */
  nack(delayMs: number): void;
}

/**
 * Where a broker keeps events: the port. An event that no trigger matched is not appended. Nothing whose `append` has resolved is
 * ever lost within what the log promises.
 */
export interface EventLog extends AsyncDisposable {
  /** What it can do besides: `replay` old events, acknowledge single events out of order, `extend` a delivery that takes long. */
  readonly capabilities: ReadonlySet<'replay' | 'ack-single' | 'extend'>;
  /** Resolves when the events are as durable as the log makes them. */
  append(batch: readonly MatchedEvent[]): Promise<void>;
  /** Calls `deliver` for each event of a trigger, in order of appending, until disposed. One consumer per trigger. */
  consume(trigger: string, deliver: (delivery: LogDelivery) => void): Disposable;
  /** Forgets a trigger and what it has not got yet. */
  remove(trigger: string): void;
  /** Events that `trigger` has not acknowledged. */
  backlog(trigger: string): number;
  close(): Promise<void>;
}
