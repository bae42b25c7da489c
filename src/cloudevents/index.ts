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
  type EncodedEvent,
  type EncodeOptions,
} from './http-binding.ts';
export { decodeBatch, decodeStructured, encodeJson, eventOfJson, eventToJson } from './json-format.ts';
export { isJsonContentType, type ContentMode } from './media-type.ts';
export { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
export { fromCloudEvent, toCloudEvent, toEventMessage, type EventLike } from './cloud-event.ts';
export { textOfAttribute } from './attribute-text.ts';
export {
  compileCesql,
  compileCesqlNode,
  CesqlExpression,
  type CesqlOptions,
  type CesqlResult,
} from './cesql/cesql-expression.ts';
export { parseCesql, type CesqlParseOptions } from './cesql/parser.ts';
export { CesqlFault, type CesqlFaultKind } from './cesql/cesql-fault.ts';
export { conjunctsOf, operandsOf, type CesqlNode, type CesqlType, type CesqlValue } from './cesql/ast.ts';
export { atomMatches, atomOf, type CesqlAtom } from './cesql/atoms.ts';
export { explainCesql, formatExplanation, type CesqlExplanation } from './cesql/explain.ts';
export { FunctionTable, type CesqlFunction, type CesqlParameterType } from './cesql/functions.ts';
export { compileLike, shapeOfLike, type LikeMatcher, type LikeShape } from './cesql/like.ts';
export { parsePeriod, type Period } from './delivery-period.ts';
export {
  isRetried,
  noRetries,
  parseRetryAfterMs,
  planRetries,
  retryPolicyOf,
  retryWaitMs,
  type DeliveryTimes,
  type PlannedTry,
  type RetryPolicy,
  type TryOutcome,
} from './delivery-retry.ts';
export {
  admitEvent,
  deadLetterEvent,
  isDelivered,
  kindOfReply,
  nextTtl,
  ttlOf,
  withoutTtl,
  withTtlOf,
  type DeliveryFailure,
} from './delivery-rules.ts';
export { passedHeaders } from './delivery-headers.ts';
export { ingressHeaders, ingressStatus, routeIngress, type IngressRefusal, type IngressTarget } from './delivery-ingress.ts';
