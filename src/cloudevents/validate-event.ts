import {
  integerMax,
  integerMin,
  isAbsoluteUri,
  isAttributeName,
  isReservedName,
  isTimestamp,
  isUriReference,
} from './attribute-rules.ts';
import { EventFault } from './event-fault.ts';
import type { AttributeValue, EventMessage } from './event-message.ts';

/** What breaks the specification in an event that was built in process; `undefined` when nothing does. */
export function validateEvent(event: EventMessage): EventFault | undefined {
  if (event.specversion !== '1.0')
    return new EventFault('CLOUDEVENTS_SPECVERSION', 'must be 1.0', 'specversion', event.specversion);
  const fault =
    missing('id', event.id) ??
    missing('source', event.source) ??
    missing('type', event.type) ??
    (isUriReference(event.source) ? undefined : invalid('source', 'must be a URI-reference', event.source)) ??
    optional('subject', event.subject, isNonEmpty, 'must be a non-empty string') ??
    optional('time', event.time, isTimestamp, 'must be an RFC 3339 time') ??
    optional('dataschema', event.dataschema, isAbsoluteUri, 'must be an absolute URI') ??
    optional('datacontenttype', event.datacontenttype, () => true, 'must be a string');
  if (fault !== undefined) return fault;
  for (let i = 0; i < event.extensions.length; i += 2) {
    const name = event.extensions[i];
    const extensionFault = validateExtension(name, event.extensions[i + 1]);
    if (extensionFault !== undefined) return extensionFault;
  }
  return undefined;
}

function validateExtension(name: unknown, value: AttributeValue | undefined): EventFault | undefined {
  if (typeof name !== 'string' || !isAttributeName(name) || isReservedName(name)) {
    return new EventFault('CLOUDEVENTS_ATTRIBUTE_NAME', 'must be named by lower-case letters and digits only', String(name));
  }
  if (typeof value === 'number' && !isInteger(value)) return invalid(name, 'must be a whole number of 32 bits', value);
  if (value === undefined) return invalid(name, 'must have a value', value);
  return undefined;
}

/** A CloudEvents Integer. */
export function isInteger(value: number): boolean {
  return Number.isInteger(value) && value >= integerMin && value <= integerMax;
}

const isNonEmpty = (value: string): boolean => value.length > 0;

function missing(name: string, value: unknown): EventFault | undefined {
  if (typeof value === 'string' && value.length > 0) return undefined;
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_MISSING', 'must be a non-empty string', name, value);
}

function optional(name: string, value: unknown, test: (text: string) => boolean, rule: string): EventFault | undefined {
  return value === undefined || (typeof value === 'string' && test(value)) ? undefined : invalid(name, rule, value);
}

function invalid(name: string, rule: string, value: unknown): EventFault {
  return new EventFault('CLOUDEVENTS_ATTRIBUTE_VALUE', rule, name, value);
}
