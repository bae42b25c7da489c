import type * as CloudEventsPackage from 'cloudevents';
import type { CloudEvent, CloudEventV1 } from 'cloudevents';
import { KnativeError } from '../errors.ts';
import { loadPackage } from '../load-package.ts';
import { EventFault } from './event-fault.ts';
import { EventMessage, type AttributeValue } from './event-message.ts';
import { charsetOf } from './media-type.ts';
import { validateEvent } from './validate-event.ts';

/** What every place of this package takes as an event: its own class, the npm package's, or a plain object of the latter's shape. */
export type EventLike = EventMessage | CloudEventV1<unknown>;

/** The event itself, or a conversion of an npm event. Throws a KnativeError that names the attribute when that is not valid. */
export function toEventMessage(event: EventLike): EventMessage {
  return event instanceof EventMessage ? event : fromCloudEvent(event);
}

// The npm class gives every event a time; events that had none are remembered, so that the way back does not invent one.
const withoutTime = new WeakSet<object>();

/** An npm event (or a plain object of its shape) as an EventMessage: data as a value, binary data as bytes. Throws when it is not valid. */
export function fromCloudEvent(event: CloudEventV1<unknown>): EventMessage {
  const extensions: (string | AttributeValue)[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (ownFields.has(name) || value === undefined || value === null) continue;
    extensions.push(name, attributeValue(name, value));
  }
  const message = new EventMessage({
    specversion: event.specversion === '0.3' ? '0.3' : '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject ?? undefined,
    time: withoutTime.has(event) ? undefined : timeText(event.time),
    datacontenttype: event.datacontenttype ?? undefined,
    dataschema: event.dataschema ?? undefined,
    extensions,
    data: dataOf(event),
  });
  if (event.specversion !== undefined && event.specversion !== message.specversion) {
    throw new EventFault('CLOUDEVENTS_SPECVERSION', 'must be 1.0', 'specversion', event.specversion).toError();
  }
  const fault = validateEvent(message);
  if (fault !== undefined) throw fault.toError();
  return message;
}

const ownFields = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'data_base64',
  'schemaurl',
]);

function timeText(time: unknown): string | undefined {
  if (time instanceof Date) return time.toISOString();
  return typeof time === 'string' ? time : undefined;
}

function attributeValue(name: string, value: unknown): AttributeValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof Uint8Array)
    return value;
  if (value instanceof Date) return value.toISOString();
  throw new EventFault(
    'CLOUDEVENTS_ATTRIBUTE_VALUE',
    'must be a string, a boolean or a whole number of 32 bits',
    name,
    value,
  ).toError();
}

function dataOf(event: CloudEventV1<unknown>): unknown {
  // The npm class keeps binary data as Base64 too and shows some of it as one number per byte; the Base64 is right in every case.
  if (typeof event.data_base64 === 'string') return Buffer.from(event.data_base64, 'base64');
  const data = event.data;
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
}

/**
 * The event as an instance of the npm package's class, which is loaded on first use. Its rules on names and values are not
 * applied again. Binary data become a Buffer and `data_base64`. An event without time gets the npm class's (now); converting
 * back drops it.
 */
export function toCloudEvent(event: EventMessage): CloudEvent<unknown> {
  const { CloudEvent: CloudEventClass } = cloudEventsPackage();
  const properties: Record<string, unknown> = { ...event.attributes() };
  const data = valueOrBytes(event);
  if (data !== undefined) properties['data'] = data instanceof Uint8Array ? Buffer.from(data) : data;
  const cloudEvent = new CloudEventClass<unknown>(properties, false);
  if (event.time === undefined) withoutTime.add(cloudEvent);
  return cloudEvent;
}

/** Data that are not what their content type says, and text in another charset, go as the bytes they are. */
function valueOrBytes(event: EventMessage): unknown {
  if (event.hasValue) return event.data();
  const charset = charsetOf(event.datacontenttype ?? '');
  if (charset !== 'utf-8' && charset !== 'us-ascii') return event.body;
  try {
    return event.data();
  } catch (error) {
    if (KnativeError.is(error)) return event.body;
    throw error;
  }
}

let loaded: typeof CloudEventsPackage | undefined;

function cloudEventsPackage(): typeof CloudEventsPackage {
  return (loaded ??= loadPackage('cloudevents') as typeof CloudEventsPackage);
}
