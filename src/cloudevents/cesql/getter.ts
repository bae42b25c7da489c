import type { EventMessage } from '../event-message.ts';

/** A compiled part of an expression: gives its value for an event, or the zero value and `failure`. */
export type Get<T> = (event: EventMessage) => T;
