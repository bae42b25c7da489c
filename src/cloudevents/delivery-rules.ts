import type { AttributeChanges, AttributeValue, EventMessage } from './event-message.ts';
import { modeOfHeaders } from './http-binding.ts';

/** Why an event could not be delivered. */
export interface DeliveryFailure {
  /** URL of who failed: the subscriber, or the reply's address. */
  readonly destination: string;
  /** Status of the answer; 500 when there was none (connection error, timeout), -1 when the request could not be made. */
  readonly status: number;
  /** Body of the answer, or the text of the error. */
  readonly body?: Uint8Array | string | undefined;
}

/** Longest `knativeerrordata`, characters of Base64. */
export const errorDataLengthMax = 1024;

/**
 * The event as the dead letter sink gets it: `knativeerrordest`, `knativeerrorcode` and `knativeerrordata` (Base64 of the answer's body, the
 * first 1,024 characters, empty without body) say what happened. Attributes of these names that the event has already are kept.
 */
export function deadLetterEvent(event: EventMessage, failure: DeliveryFailure): EventMessage {
  const changes: Record<string, AttributeValue> = {};
  const set = (name: string, value: AttributeValue): void => {
    if (event.extension(name) === undefined) changes[name] = value;
  };
  set('knativeerrordest', failure.destination);
  set('knativeerrorcode', failure.status);
  set('knativeerrordata', errorData(failure.body));
  return event.with(changes);
}

function errorData(body: Uint8Array | string | undefined): string {
  if (body === undefined) return '';
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  // Three bytes make four characters, so more bytes than these cannot be seen in the text.
  const seen = bytes.subarray(0, (errorDataLengthMax / 4) * 3);
  let binary = '';
  for (const byte of seen) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Attribute that counts the brokers' hops which an event has left. */
export const ttlAttribute = 'knativebrokerttl';
/** What a broker sets on an event that has no valid count. */
export const defaultTtl = 255;
/** Attribute with the time at which a broker took an event. */
export const arrivalTimeAttribute = 'knativearrivaltime';

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The hops that an event has left, a fraction cut off; `undefined` when it says none or no number of 32 bits. */
export function ttlOf(event: EventMessage): number | undefined {
  const value = event.extension(ttlAttribute);
  const ttl = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
  return typeof ttl === 'number' && ttl >= -0x80000000 && ttl <= 0x7fffffff ? Math.trunc(ttl) : undefined;
}

/** The count that a broker forwards an event with: one less, or the default; `undefined` when it is used up and the event is refused with 400. */
export function nextTtl(event: EventMessage, maxTtl: number = defaultTtl): number | undefined {
  const ttl = ttlOf(event);
  const next = ttl === undefined ? maxTtl : ttl - 1;
  return next > 0 ? next : undefined;
}

/** An event as a broker takes it in: with its hop count and arrival time (RFC 3339), both overwritten. `undefined` when the hops are used up. */
export function admitEvent(event: EventMessage, arrivalTime: string, maxTtl?: number): EventMessage | undefined {
  const ttl = nextTtl(event, maxTtl);
  return ttl === undefined ? undefined : event.with({ [ttlAttribute]: ttl, [arrivalTimeAttribute]: arrivalTime });
}

/** The event without its hop count: what filters see and subscribers get. */
export function withoutTtl(event: EventMessage): EventMessage {
  return event.extension(ttlAttribute) === undefined
    ? event
    : event.with({ [ttlAttribute]: undefined } satisfies AttributeChanges);
}

/** A subscriber's answer that is an event goes back to the broker with the hop count of the event that it answers. */
export function withTtlOf(reply: EventMessage, event: EventMessage): EventMessage {
  return reply.with({ [ttlAttribute]: event.extension(ttlAttribute) });
}

/** True for 2xx. Redirects that are not followed are failures. */
export function isDelivered(status: number): boolean {
  return status >= 200 && status <= 299;
}

/**
 * What a subscriber's successful answer is. `event`: it goes to the reply address, or back to the broker. `nothing`: there is no reply.
 * `notAnEvent`: a body that is no event, which a channel's delivery drops silently and a broker's filter answers with 502.
 */
export function kindOfReply(rawHeaders: readonly string[], bodyLength: number): 'event' | 'nothing' | 'notAnEvent' {
  const mode = modeOfHeaders(rawHeaders);
  if (mode !== undefined && (mode !== 'binary' || hasKnownVersion(rawHeaders))) return 'event';
  return bodyLength === 0 ? 'nothing' : 'notAnEvent';
}

function hasKnownVersion(rawHeaders: readonly string[]): boolean {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'ce-specversion');
  const version = rawHeaders[at + 1];
  return version === '1.0' || version === '0.3';
}
