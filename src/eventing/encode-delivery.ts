import { encodeBinary, encodeStructured, type EncodedEvent, type EventMessage } from '../cloudevents/index.ts';

/**
 * An event as upstream's components send it: binary unless structured is asked for, header values as raw UTF-8, since its subscribers
 * decode nothing. Attributes that an unvalidated event lacks stay away.
 */
export function encodeDelivery(event: EventMessage, format?: 'json' | 'binary'): EncodedEvent {
  if (format === 'json') return encodeStructured(event);
  const encoded = encodeBinary(event, { as: 'upstream' });
  if (event.id !== '' && event.source !== '' && event.type !== '') return encoded;
  const { rawHeaders, body } = encoded;
  const isEmpty = (at: number): boolean => /^ce-(?:id|source|type)$/.test(rawHeaders[at] ?? '') && rawHeaders[at + 1] === '';
  return { rawHeaders: rawHeaders.filter((_, at) => !isEmpty(at - (at % 2))), body };
}
