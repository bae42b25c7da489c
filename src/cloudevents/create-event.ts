import { type Clock, realClock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { randomUuid, systemRandom, type Random } from '../random.ts';
import { EventMessage, type AttributeValue } from './event-message.ts';
import { validateEvent } from './validate-event.ts';

/** What `createEvent` takes: attributes and extensions by name, and the data as a value or as bytes. */
export interface NewEvent {
  /** Default: a random UUID. */
  readonly id?: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string | undefined;
  /** RFC 3339 or a Date. Default: now. `null`: none. */
  readonly time?: string | Date | null | undefined;
  /** Default with `data`: `text/plain` for a string, `application/octet-stream` for bytes, else `application/json`. */
  readonly datacontenttype?: string | undefined;
  readonly dataschema?: string | undefined;
  /** Extensions by name. */
  readonly extensions?: Readonly<Record<string, AttributeValue | undefined>>;
  /** A value, or bytes. */
  readonly data?: unknown;
}

export interface CreateEventOptions {
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Builds a valid event, filling in id, time and content type. Throws a KnativeError that names the attribute otherwise. */
export function createEvent(fields: NewEvent, options: CreateEventOptions = {}): EventMessage {
  const extensions: (string | AttributeValue)[] = [];
  for (const [name, value] of Object.entries(fields.extensions ?? {})) if (value !== undefined) extensions.push(name, value);
  const event = new EventMessage({
    id: fields.id ?? randomUuid(options.random ?? systemRandom),
    source: fields.source,
    type: fields.type,
    subject: fields.subject,
    time: timeText(fields.time, options.clock ?? realClock),
    datacontenttype: fields.datacontenttype ?? defaultContentType(fields.data),
    dataschema: fields.dataschema,
    extensions,
    data: fields.data,
  });
  const fault = validateEvent(event);
  if (fault !== undefined) throw fault.toError();
  return event;
}

function timeText(time: string | Date | null | undefined, clock: Clock): string | undefined {
  if (time === null) return undefined;
  if (typeof time === 'string') return time;
  const date = time ?? new Date(clock.now());
  if (Number.isNaN(date.getTime()))
    throw new KnativeError('CLOUDEVENTS_ATTRIBUTE_VALUE', 'attribute "time" is an invalid Date', { path: 'time' });
  return date.toISOString();
}

function defaultContentType(data: unknown): string | undefined {
  if (data === undefined) return undefined;
  if (data instanceof Uint8Array) return 'application/octet-stream';
  return typeof data === 'string' ? 'text/plain' : 'application/json';
}
