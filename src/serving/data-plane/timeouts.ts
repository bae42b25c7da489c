import type { Clock } from '../../clock.ts';
import { DeadlineList } from './deadline-list.ts';

/** Time limits of a revision's requests, milliseconds; 0 or absent = none. */
export interface RequestTimeouts {
  /** The whole request, also after its response has begun (`timeoutSeconds`). Default 300 s. */
  readonly requestMs?: number;
  /** Until the response begins (`responseStartTimeoutSeconds`). Upgraded connections and streams are exempt once they have begun. */
  readonly responseStartMs?: number;
  /** Without a byte of the response (`idleTimeoutSeconds`), the wait for the first one included. */
  readonly idleMs?: number;
}

/** Knative's default for `timeoutSeconds`. */
export const requestTimeoutDefaultMs = 300_000;

/** Which limit ended a request. */
export type TimeoutKind = 'request' | 'response-start' | 'idle';

/** The deadline lists that all requests of one revision share. */
export class TimeoutLists {
  readonly request: DeadlineList | undefined;
  readonly responseStart: DeadlineList | undefined;
  readonly idle: DeadlineList | undefined;

  constructor(clock: Clock, { requestMs = requestTimeoutDefaultMs, responseStartMs = 0, idleMs = 0 }: RequestTimeouts) {
    this.request = requestMs > 0 ? new DeadlineList(clock, requestMs) : undefined;
    this.responseStart = responseStartMs > 0 ? new DeadlineList(clock, responseStartMs) : undefined;
    this.idle = idleMs > 0 ? new DeadlineList(clock, idleMs) : undefined;
  }
}
