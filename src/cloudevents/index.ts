export { EventMessage, type AttributeChanges, type AttributeValue, type EventFields } from './event-message.ts';
export { EventFault, eventOrThrow, type EventFaultCode } from './event-fault.ts';
export { createEvent, type CreateEventOptions, type NewEvent } from './create-event.ts';
export { validateEvent } from './validate-event.ts';
export { type DecodeOptions } from './decode-options.ts';
export {
  decodeHttp,
  decodeHttpEvents,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  isEvent,
  modeOfHeaders,
  textOfAttribute,
  type EncodedEvent,
} from './http-binding.ts';
export { decodeBatch, decodeStructured, encodeJson, eventOfJson, eventToJson } from './json-format.ts';
export { isJsonContentType, type ContentMode } from './media-type.ts';
export { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
export { fromCloudEvent, toCloudEvent, toEventMessage, type EventLike } from './cloud-event.ts';
