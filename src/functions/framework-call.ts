import { decodeHttp } from '../cloudevents/http-binding.ts';
import { EventFault } from '../cloudevents/event-fault.ts';
import { decodeBatch, decodeStructured } from '../cloudevents/json-format.ts';
import type { EventMessage } from '../cloudevents/event-message.ts';
import { KnativeError } from '../errors.ts';
import { isEventLike } from './cloud-event.ts';
import { encodeReply } from './event-codec.ts';
import {
  backgroundToCloudEvent,
  cloudEventToBackground,
  fromPubSubPush,
  readBackgroundEvent,
  type BackgroundEvent,
} from './framework-events.ts';
import type { FrameworkRequest } from './framework-request.ts';
import type { FrameworkResponse } from './framework-response.ts';

/** The function of a call, whatever its signature. */
export type UserFunction = (...values: readonly unknown[]) => unknown;

type Callback = (error: unknown, result?: unknown) => void;

/** The events of a request to a `cloudevent` function: Google's older forms are converted, everything else must be a valid event. */
export function eventsOf(request: FrameworkRequest, nowIso: string): Record<string, unknown>[] {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const body = fromPubSubPush(request.body, request.path, nowIso) ?? request.body;
  const isBinary = request.headers['ce-specversion'] !== undefined || request.headers['ce-id'] !== undefined;
  const converted = isBinary ? undefined : backgroundToCloudEvent(body);
  if (converted !== undefined) return [converted];
  if (type === 'application/cloudevents-batch+json') {
    const events = decodeBatch(request.rawBody ?? Buffer.alloc(0));
    if (events instanceof EventFault) throw events.toError();
    return events.map((event) => plainEvent(event, event.data(), true, request));
  }
  const structured = type === 'application/cloudevents+json';
  const message = structured
    ? decodeStructured(request.rawBody ?? Buffer.alloc(0))
    : decodeHttp(request.rawHeaders, request.rawBody);
  if (message instanceof EventFault) throw message.toError();
  return [plainEvent(message, structured ? message.data() : request.body, structured, request)];
}

// functions-framework gives a plain object, without datacontenttype for binary events, with the traceparent header on it.
function plainEvent(
  message: EventMessage,
  data: unknown,
  withContentType: boolean,
  request: FrameworkRequest,
): Record<string, unknown> {
  const { datacontenttype, ...attributes } = message.attributes();
  const event: Record<string, unknown> = { ...attributes };
  if (withContentType && datacontenttype !== undefined) event['datacontenttype'] = datacontenttype;
  if (data !== undefined) event['data'] = data;
  const traceparent = request.get('traceparent');
  if (traceparent !== undefined) event['traceparent'] = traceparent;
  return event;
}

/** Data and context for an `event` function. */
export function backgroundEventOf(request: FrameworkRequest, nowIso: string): BackgroundEvent {
  if (
    request.headers['ce-id'] !== undefined &&
    request.headers['ce-type'] !== undefined &&
    request.headers['ce-source'] !== undefined
  ) {
    const attributes: Record<string, unknown> = {};
    for (const name of Object.keys(request.headers)) if (name.startsWith('ce-')) attributes[name.slice(3)] = request.get(name);
    return cloudEventToBackground(attributes, request.body);
  }
  return fromPubSubPush(request.body, request.path, nowIso) ?? readBackgroundEvent(request.body);
}

/** Calls a function that takes a callback as its last parameter, or returns its result; resolves with the result. */
export function callEventFunction(fn: UserFunction, values: readonly unknown[]): Promise<unknown> {
  if (fn.length <= values.length) return Promise.resolve().then(() => fn(...values));
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => {
      if (error === undefined || error === null) resolve(result);
      else reject(error instanceof Error ? error : Object.assign(new Error(messageOfThrown(error)), { cause: error }));
    };
    fn(...values, callback);
  });
}

/** Sends what an event function gave: nothing is 204, a CloudEvent goes out as one, the rest as `res.send` does. */
export function sendEventResult(response: FrameworkResponse, result: unknown, log: (message: string) => void): void {
  if (response.headersSent) return;
  if (result === undefined || result === null) {
    response.sendStatus(204);
    return;
  }
  if (typeof result === 'object' && isEventLike(result)) {
    const { rawHeaders, body } = encodeReply(result, false);
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) response.setHeader(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
    response.end(body);
    return;
  }
  try {
    if (typeof result === 'number') response.json(result);
    else response.send(result);
  } catch (error) {
    log(`the function's result cannot be sent: ${messageOfThrown(error)}`);
    response.sendStatus(204);
  }
}

/** Answers a failed call with 500 and the message, or in production the bare status; `x-google-status` says whose fault it was. */
export function sendCrash(response: FrameworkResponse, error: unknown, kind: 'crash' | 'error', production: boolean): void {
  if (response.headersSent) return;
  const status = KnativeError.is(error) && error.status !== undefined ? error.status : 500;
  if (status >= 500) response.set('X-Google-Status', kind);
  if (production && status >= 500) response.sendStatus(status);
  else if (status >= 500) response.status(status).send(messageOfThrown(error));
  else response.status(status).type('txt').send(messageOfThrown(error));
}

function messageOfThrown(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message);
}
