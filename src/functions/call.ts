import { modeOfContentType } from '../cloudevents/media-type.ts';
import { KnativeError, messageOf } from '../errors.ts';
import { parseBody } from './body.ts';
import type { CloudEvent } from './cloud-event.ts';
import { RequestHead } from './request-head.ts';

/** State of one call on its way through the runtime. */
export class Call extends RequestHead {
  readonly startedMs: number;
  done = false;
  repliesToEvent = false;
  timer: Disposable | undefined = undefined;

  constructor(startedMs: number) {
    super();
    this.startedMs = startedMs;
  }
}

/** faas-js-runtime calls `handle` on an empty object; so do we, for every convention. */
export const frozenThis = Object.freeze({});

/** True for promises of any kind. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The error for input that the schema refuses. */
export function invalidInput(what: string, problems: readonly string[]): KnativeError {
  return new KnativeError(
    'FUNCTIONS_INPUT_INVALID',
    `${what} is not what the function takes: ${problems.slice(0, 10).join('; ')}`,
    { status: 400 },
  );
}

/** In faas conventions the body of a structured event is its text, that of a binary one the data. */
export function faasBodyOfEvent(event: CloudEvent, bytes: Uint8Array, head: RequestHead): unknown {
  const structured = head.contentType !== undefined && modeOfContentType(head.contentType) !== 'binary';
  return structured ? parseBody(bytes, head.contentType, false) : event.data;
}

/** An error as a field of a log line. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: messageOf(error) };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(KnativeError.is(error) ? { code: error.code } : {}),
  };
}
