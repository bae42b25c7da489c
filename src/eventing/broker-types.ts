import type { EventLike, EventMessage } from '../cloudevents/index.ts';
import type { Clock } from '../clock.ts';
import type { HttpClient } from '../http/exchange.ts';
import type { Logger } from '../logger.ts';
import type { Meter, Tracer } from '../telemetry/index.ts';
import type { FilterSpec } from './filters/compile-filter.ts';
import type { EventRecord, HistoryOptions } from './event-history.ts';
import type { EventLog, LogStats, ParkedEvent, ParkReason, ReadOptions, TriggerStats } from './log.ts';
import type { TriggerExplanation } from './matcher.ts';
import type { Subscriber, TriggerOptions } from './subscriber.ts';

export interface BrokerOptions {
  /** Where events are kept; default a memory log, which loses them with the process. The broker closes it. */
  readonly log?: EventLog;
  /** Sends to subscribers that are URLs; default one of the broker's own, made on first use. */
  readonly client?: HttpClient;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** What metrics and spans call the broker; default `broker` in `default`. */
  readonly name?: string;
  readonly namespace?: string;
  /** Headers that go along with every delivery, names and values in turn. */
  readonly rawHeaders?: readonly string[];
  /** Where dead letters of triggers without a sink of their own go; default nowhere: they are parked. */
  readonly deadLetterSink?: Subscriber;
  /** Hops that an event may make through brokers; default 255. */
  readonly ttlMax?: number;
  /** Stores events that no trigger matched as well, for replay to triggers to come. Default false. */
  readonly keepUnmatched?: boolean;
  /** An event with the source and id of one that came within `windowMs` is taken, but not stored again. Default: every event is stored. */
  readonly deduplicate?: {
    readonly windowMs: number;
    /** Events remembered at most; default 100,000. */ readonly eventsMax?: number;
  };
  /** Remembers what became of the newest events, for `history`. Default off: it costs time on every delivery. */
  readonly history?: HistoryOptions | boolean;
  /** Gets upstream's metrics; default none. */
  readonly meter?: Meter;
  /** Gets a span for every hop and delivery; default none. Trace headers are passed on either way. */
  readonly tracer?: Tracer;
  /** Called for an event that nobody took: no dead letter sink, or that failed too. It is parked. */
  readonly onParked?: (trigger: string, event: EventMessage, reason: ParkReason) => void;
}

export interface PublishOptions {
  /** Headers that came with the event, names and values in turn: trace context and those that upstream passes on go along. */
  readonly rawHeaders?: readonly string[];
}

export interface PublishResult {
  /** Names of the triggers that get the event. */
  readonly triggers: readonly string[];
  /** The event came before, within the window of `deduplicate`. */
  readonly duplicate?: true;
  /** What an ingress answers; default 202. */
  readonly status?: number;
}

export interface TriggerStatus extends TriggerStats {
  readonly trigger: string;
  readonly paused: boolean;
  /** Tries under way. */
  readonly active: number;
  /** Age of the oldest event that is not done, milliseconds; 0 without backlog. */
  readonly lagMs: number;
}

export interface BrokerStatus {
  readonly log: LogStats & { readonly kind: string; readonly guarantee: string };
  readonly triggers: readonly TriggerStatus[];
}

export interface ReplayRequest extends ReadOptions {
  /** The trigger that gets the events; its filter decides which. */
  readonly trigger: string;
  /** Only counts. Default false. */
  readonly dryRun?: boolean;
}

export interface ReplayReport {
  /** Events read. */
  readonly read: number;
  /** Those that the trigger's filter lets through, and which it gets (or would get). */
  readonly matched: number;
  readonly firstPosition: number | undefined;
  readonly lastPosition: number | undefined;
}

export interface RedriveRequest {
  readonly trigger?: string;
  /** Ids of parked events; default all. */
  readonly ids?: readonly string[];
}

/** Takes events in and delivers each to the triggers whose filters it meets. */
export interface Broker extends AsyncDisposable {
  /** Adds a trigger or takes on other options for the one of that name; events that it has not got yet stay its own. Nothing changes when it throws. */
  addTrigger(name: string, options: FilterSpec & TriggerOptions): void;
  /** Removes a trigger with its backlog. Resolves when the log has forgotten it. */
  removeTrigger(name: string): Promise<void>;
  readonly triggers: readonly string[];
  /**
   * Resolves once the event is as durable as the log makes it. Rejects with EVENTING_TTL_EXHAUSTED (400) for an event that went in circles,
   * `LogFullError` (429), EVENTING_LOG_UNAVAILABLE and EVENTING_BROKER_CLOSED (503).
   */
  publish(event: EventLike, options?: PublishOptions): Promise<PublishResult>;
  /** Who would get the event and why, without publishing it. */
  explain(event: EventLike): readonly TriggerExplanation[];
  /** Events that a trigger has not acknowledged. */
  backlog(trigger: string): number;
  /** Begins no more deliveries to a trigger until `resume`; its events are kept. Throws EVENTING_TRIGGER_UNKNOWN. */
  pause(trigger: string): void;
  resume(trigger: string): void;
  status(): Promise<BrokerStatus>;
  /** Dead letters that nobody took, with reason and attempts. */
  parked(trigger?: string): AsyncIterable<ParkedEvent>;
  /** Delivers parked events again; returns how many. */
  redrive(request?: RedriveRequest): Promise<number>;
  /** Drops one parked event; false when there is no such. */
  drop(id: string): Promise<boolean>;
  /** Delivers stored events again to one trigger. Needs a log with `replay` (else EVENTING_NO_REPLAY). */
  replay(request: ReplayRequest): Promise<ReplayReport>;
  /** What became of an event and of the replies that it led to, oldest first. Empty when it is not remembered, or `history` is off. */
  history(event: { readonly id: string; readonly source?: string }): readonly EventRecord[];
  readonly log: EventLog;
  /** Stops taking events, waits up to `graceMs` (default 10 s) for deliveries under way, closes the log. */
  close(graceMs?: number): Promise<void>;
}
