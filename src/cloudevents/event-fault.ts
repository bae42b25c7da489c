import { KnativeError } from '../errors.ts';

/** Why bytes or fields are not an event. */
export type EventFaultCode =
  /** Neither CloudEvents headers nor a CloudEvents content type. */
  | 'CLOUDEVENTS_NOT_AN_EVENT'
  /** Structured or batched mode in a format other than JSON, or a batch where one event is expected. */
  | 'CLOUDEVENTS_FORMAT'
  /** A specversion other than the supported ones. */
  | 'CLOUDEVENTS_SPECVERSION'
  | 'CLOUDEVENTS_ATTRIBUTE_MISSING'
  | 'CLOUDEVENTS_ATTRIBUTE_NAME'
  | 'CLOUDEVENTS_ATTRIBUTE_VALUE'
  | 'CLOUDEVENTS_ATTRIBUTE_REPEATED'
  /** Header value or body that is not UTF-8. */
  | 'CLOUDEVENTS_ENCODING'
  /** The body is not JSON, or not the JSON value that the mode wants. */
  | 'CLOUDEVENTS_JSON'
  | 'CLOUDEVENTS_DATA'
  | 'CLOUDEVENTS_TOO_LARGE'
  | 'CLOUDEVENTS_TOO_DEEP';

const shownMax = 200;

/**
 * What decoding returns instead of an event. A plain value, because bad input is an expected outcome and a stack trace would
 * cost more than the decoding; `toError()` makes the error to throw. Test with `instanceof EventFault`.
 */
export class EventFault {
  readonly code: EventFaultCode;
  /** The attribute at fault, if it is one. */
  readonly attribute: string | undefined;
  /** Its value, shortened to 200 characters. */
  readonly value: string | undefined;
  /** The rule that is broken, as a sentence without subject: `must be a non-empty string`. */
  readonly rule: string;
  /** Position in a batch. */
  readonly index: number | undefined;

  constructor(code: EventFaultCode, rule: string, attribute?: string, value?: unknown, index?: number) {
    this.code = code;
    this.rule = rule;
    this.attribute = attribute;
    this.value = value === undefined ? undefined : shown(value);
    this.index = index;
  }

  get message(): string {
    const where = this.index === undefined ? '' : `event ${this.index} of the batch: `;
    if (this.attribute === undefined) return `${where}${this.rule}`;
    return `${where}attribute ${JSON.stringify(this.attribute)} ${this.rule}${this.value === undefined ? '' : `, got ${this.value}`}`;
  }

  /** The same fault, said about an element of a batch. */
  at(index: number): EventFault {
    const fault = new EventFault(this.code, this.rule, this.attribute, undefined, index);
    return Object.assign(fault, { value: this.value });
  }

  /** An error to throw; status 400, or 413 when the event is too large. */
  toError(): KnativeError {
    return new KnativeError(this.code, this.message, {
      status: this.code === 'CLOUDEVENTS_TOO_LARGE' ? 413 : 400,
      ...(this.attribute === undefined ? {} : { path: this.attribute }),
    });
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value.slice(0, shownMax) : value;
  const json =
    typeof text === 'object' && text !== null ? (Array.isArray(text) ? 'an array' : 'an object') : JSON.stringify(text);
  return json ?? typeof value;
}

/** The event, or a throw of the fault as an error: for callers that do not expect faults. */
export function eventOrThrow<E>(result: E | EventFault): E {
  if (result instanceof EventFault) throw result.toError();
  return result;
}
