import type { DeliverySpec } from '../api/duck/delivery-spec.ts';
import type { EventLike, EventMessage } from '../cloudevents/index.ts';

/** What a subscriber that is a function learns besides the event. */
export interface DeliveryContext {
  /** Aborts when the try times out or the broker closes. */
  readonly signal: AbortSignal;
  /** 1 for the first try, counted within this process. */
  readonly attempt: number;
  /** Position of the event in the log. */
  readonly position: number;
  /** Name of the trigger. */
  readonly trigger: string;
}

/** Who gets events: a URL, or a function of this process. What a function returns, if it is an event, is the reply. A throw is a failed try. */
export type Subscriber = string | ((event: EventMessage, context: DeliveryContext) => unknown);

export interface TriggerOptions {
  readonly subscriber: Subscriber;
  /** Retries, time-out, format, dead letter sink. Default: one try, no time-out. */
  readonly delivery?: DeliverySpec;
  /** Where events go that could not be delivered; wins over `delivery.deadLetterSink.uri`, and both over the broker's. */
  readonly deadLetterSink?: Subscriber;
  /** `ordered`: events of one partition one after the other, in the order in which they came in. Default `unordered`. */
  readonly order?: 'ordered' | 'unordered';
  /** What names an event's partition; default its `partitionkey` extension. Events without one are one partition. */
  readonly partitionKey?: (event: EventMessage) => string | undefined;
  /** Tries under way at a time; default 100. */
  readonly parallelism?: number;
  /** Starts paused: events are kept until `resume`. Default false. */
  readonly paused?: boolean;
  /** Headers that go along with every delivery over HTTP, names and values in turn; or what makes them (tokens). */
  readonly rawHeaders?: readonly string[] | ((url: string) => readonly string[] | Promise<readonly string[]>);
}

/** True for what a function may return as its reply. */
export function isEventLike(value: unknown): value is EventLike {
  return typeof value === 'object' && value !== null && 'specversion' in value && 'type' in value && 'source' in value;
}
