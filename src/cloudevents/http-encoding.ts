import { textOfAttribute } from './attribute-text.ts';
import type { EventMessage } from './event-message.ts';
import { encodeHeaderValue, encodeHeaderValueUpstream } from './header-value.ts';
import { encodeJson, impliesJson, textOfEvent } from './json-format.ts';

/** Headers (names and values in turn) and body of an HTTP message that carries events. */
export interface EncodedEvent {
  readonly rawHeaders: string[];
  readonly body: Uint8Array | undefined;
}

export interface EncodeOptions {
  /**
   * `specification` (default): header values are percent-encoded and JSON data without content type are labelled. `upstream`: as
   * Knative writes events, for peers on the Go SDK, which decode nothing: raw UTF-8 in header values (as Latin-1 characters, the
   * way Node's HTTP modules take bytes), and no content type where the event has none.
   */
  readonly as?: 'specification' | 'upstream';
}

/** Binary mode: attributes as headers, the data as the body. JSON data without content type get `application/json`, so that they stay JSON. */
export function encodeBinary(event: EventMessage, options?: EncodeOptions): EncodedEvent {
  const upstream = options?.as === 'upstream';
  const encode = upstream ? encodeHeaderValueUpstream : encodeHeaderValue;
  const rawHeaders: string[] = [];
  rawHeaders.push('ce-specversion', event.specversion, 'ce-id', encode(event.id));
  rawHeaders.push('ce-source', encode(event.source), 'ce-type', encode(event.type));
  if (event.subject !== undefined) rawHeaders.push('ce-subject', encode(event.subject));
  if (event.time !== undefined) rawHeaders.push('ce-time', encode(event.time));
  if (event.dataschema !== undefined) rawHeaders.push('ce-dataschema', encode(event.dataschema));
  const extensions = event.extensions;
  for (let i = 0; i + 1 < extensions.length; i += 2) {
    rawHeaders.push(`ce-${String(extensions[i])}`, encode(textOfAttribute(extensions[i + 1] ?? '')));
  }
  if (event.datacontenttype !== undefined) rawHeaders.push('content-type', encodeHeaderValueUpstream(event.datacontenttype));
  else if (!upstream && impliesJson(event)) rawHeaders.push('content-type', 'application/json');
  return { rawHeaders, body: event.body };
}

/** Structured mode: everything in one JSON body. */
export function encodeStructured(event: EventMessage): EncodedEvent {
  return { rawHeaders: ['content-type', 'application/cloudevents+json'], body: encodeJson(event) };
}

/** Batched mode: a JSON array of events, which may be empty. */
export function encodeBatch(events: readonly EventMessage[]): EncodedEvent {
  return {
    rawHeaders: ['content-type', 'application/cloudevents-batch+json'],
    body: Buffer.from(`[${events.map(textOfEvent).join()}]`, 'utf8'),
  };
}
