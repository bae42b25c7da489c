import { fromCloudEvent } from '../cloudevents/cloud-event.ts';
import { EventFault } from '../cloudevents/event-fault.ts';
import { EventMessage } from '../cloudevents/event-message.ts';
import { decodeHttp, decodeHttpEvents, encodeBatch, encodeBinary, type EncodedEvent } from '../cloudevents/http-binding.ts';
import { modeOfContentType } from '../cloudevents/media-type.ts';
import { KnativeError } from '../errors.ts';
import { parseBody } from './body.ts';
import { CloudEvent, type CloudEventFields } from './cloud-event.ts';
import type { RequestHead } from './request-head.ts';

/** True when a request to a function that takes both kinds is an event. faas-js-runtime looks for `ce-id` alone. */
export function isEventRequest(head: RequestHead, faas: boolean): boolean {
  if (head.contentType !== undefined && modeOfContentType(head.contentType) !== 'binary') return true;
  if (faas) return head.ceId !== undefined && head.ceId !== '';
  return head.ceSpecversion !== undefined || head.ceId !== undefined;
}

/** The event of a request, or the events of a batch. Throws with status 400 when it carries none or a broken one. */
export function decodeRequestEvents(
  rawHeaders: readonly string[],
  head: RequestHead,
  bytes: Uint8Array | undefined,
  faas: boolean,
): CloudEvent | CloudEvent[] {
  const mode = head.contentType === undefined ? 'binary' : modeOfContentType(head.contentType);
  if (mode === 'batch') {
    const events = decodeHttpEvents(rawHeaders, bytes, faas ? faasDecoding : undefined);
    if (events instanceof EventFault) throw events.toError();
    return events.map((message) => toHandlerEvent(message, message.data(), faas));
  }
  const message = decodeHttp(rawHeaders, bytes, faas ? faasDecoding : undefined);
  if (message instanceof EventFault) throw faultError(message);
  return toHandlerEvent(message, dataOf(message, mode === 'binary' && faas), faas);
}

// Events of version 0.3 are part of what faas-js-runtime's users have.
const faasDecoding = { as: 'upstream' } as const;

function faultError(fault: EventFault): KnativeError {
  if (fault.code !== 'CLOUDEVENTS_NOT_AN_EVENT') return fault.toError();
  return new KnativeError('FUNCTIONS_NOT_AN_EVENT', 'this function takes CloudEvents and the request is none', {
    status: 400,
    hint: 'send the headers ce-specversion, ce-id, ce-source and ce-type, or a body of type application/cloudevents+json',
  });
}

function dataOf(message: EventMessage, asBody: boolean): unknown {
  if (!message.hasData) return undefined;
  // faas-js-runtime gives a binary event the data that its body parser made.
  if (asBody && message.body !== undefined) return parseBody(message.body, message.datacontenttype, false);
  try {
    return message.data();
  } catch (cause) {
    if (!KnativeError.is(cause)) throw cause;
    throw new KnativeError(cause.code, cause.message, { status: 400, path: 'data', cause });
  }
}

/** The object that handlers get for a message. */
export function toHandlerEvent<Data>(message: EventMessage, data: Data, isoTime = false): CloudEvent<Data> {
  const event = new CloudEvent<Data>(message.id, message.source, message.type);
  const writable = event as { -readonly [Name in keyof CloudEvent<Data>]: CloudEvent<Data>[Name] };
  writable.specversion = message.specversion;
  writable.time = isoTime && message.time !== undefined ? isoText(message.time) : message.time;
  writable.datacontenttype = message.datacontenttype;
  writable.subject = message.subject;
  writable.dataschema = message.dataschema;
  writable.data = data;
  const { extensions } = message;
  for (let i = 0; i + 1 < extensions.length; i += 2)
    (writable as Record<string, unknown>)[String(extensions[i])] = extensions[i + 1];
  return event;
}

// The `cloudevents` package rewrites times to this form.
function isoText(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toISOString();
}

/** An event that a function made, as a message; `datacontenttype` defaults to application/json, or application/octet-stream for bytes. */
export function messageOfEvent(event: CloudEventFields | EventMessage): EventMessage {
  if (event instanceof EventMessage) return event;
  const bytes = event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : event.data;
  const datacontenttype =
    event.datacontenttype ??
    (bytes === undefined ? undefined : bytes instanceof Uint8Array ? 'application/octet-stream' : 'application/json');
  return fromCloudEvent({
    ...plainFields(event),
    specversion: event.specversion ?? '1.0',
    data: bytes,
    datacontenttype,
  } as never);
}

function plainFields(event: CloudEventFields): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(event)) if (typeof event[name] !== 'function') fields[name] = event[name];
  return fields;
}

/** An event as the answer to an event: binary mode. */
export function encodeReply(
  event: CloudEventFields | EventMessage,
  faas: boolean,
): { rawHeaders: string[]; body: Uint8Array | string | undefined } {
  if (faas && !(event instanceof EventMessage)) return encodeFaasReply(event);
  return encodeBinary(messageOfEvent(event));
}

// As the `cloudevents` package writes it: text data go out as they are whatever the content type says.
function encodeFaasReply(event: CloudEventFields): { rawHeaders: string[]; body: Uint8Array | string | undefined } {
  const { data } = event;
  if (typeof data !== 'string') {
    const encoded = encodeBinary(messageOfEvent(event));
    const isPlainJson = event.datacontenttype === undefined && !(data instanceof Uint8Array) && data !== undefined;
    return isPlainJson ? { ...encoded, rawHeaders: withType(encoded.rawHeaders, 'application/json; charset=utf-8') } : encoded;
  }
  const { rawHeaders } = encodeBinary(messageOfEvent({ ...event, data: undefined }));
  return { rawHeaders: withType(rawHeaders, event.datacontenttype ?? 'application/json; charset=utf-8'), body: data };
}

function withType(rawHeaders: readonly string[], type: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i] !== 'content-type') kept.push(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  }
  return ['content-type', type, ...kept];
}

/** Several events as one batch. */
export function encodeBatchReply(events: readonly (CloudEventFields | EventMessage)[]): EncodedEvent {
  return encodeBatch(events.map(messageOfEvent));
}
