import { passedHeaders, namespaceHeader } from '../cloudevents/delivery-headers.ts';
import { noRetries, type RetryPolicy } from '../cloudevents/delivery-retry.ts';
import { deadLetterEvent, isDelivered, kindOfReply, type DeliveryFailure } from '../cloudevents/delivery-rules.ts';
import { decodeHttp, EventFault, type EventMessage } from '../cloudevents/index.ts';
import { realClock, type Clock } from '../clock.ts';
import type { HttpClient } from '../http/exchange.ts';
import { headerValue } from '../http/index.ts';
import type { SendObserver } from './observe.ts';
import { sendEvent, type RetryOptions, type SendAnswer } from './send-event.ts';

export interface DispatchOptions {
  readonly client: HttpClient;
  readonly clock?: Clock;
  /** Where an event goes that the destination answers with; default: answers are dropped. */
  readonly reply?: string | undefined;
  readonly deadLetter?: string | undefined;
  /** Holds for destination, reply and dead letter alike; default one try. */
  readonly policy?: RetryPolicy;
  readonly format?: 'json' | 'binary' | undefined;
  /** Headers that go along, names and values in turn. */
  readonly rawHeaders?: readonly string[];
  readonly signal?: AbortSignal;
  readonly observer?: SendObserver | undefined;
}

export interface DispatchResult {
  /** Status of whoever answered last. */
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array | string;
  /** Upstream's words for what failed; `undefined` when destination and reply, or else the dead letter sink, took the event. */
  readonly error: string | undefined;
}

/**
 * Sends one event to a destination as upstream's dispatcher does, with reply and dead letter. The destination is asked for a reply;
 * when it fails, or the address that its reply goes to, the dead letter sink gets the original event with the reason.
 * Source: knative/eventing pkg/kncloudevents/event_dispatcher.go.
 */
export async function dispatchEvent(event: EventMessage, destination: string, options: DispatchOptions): Promise<DispatchResult> {
  const { client, clock = realClock, policy = noRetries, format, rawHeaders = [], signal, observer } = options;
  const send = (what: EventMessage, url: string, headers: readonly string[]): Promise<SendAnswer> => {
    const retry: RetryOptions = { client, clock, policy, format, rawHeaders: headers, observer, ...(signal ? { signal } : {}) };
    return sendEvent(what, url, retry);
  };
  const own = without(rawHeaders, 'prefer');
  const answer = await send(event, destination, ['Prefer', 'reply', ...own]);
  let failure: DeliveryFailure | undefined;
  let last = answer;
  let error: string | undefined;
  if (!answer.delivered) {
    failure = { destination, status: answer.status, body: answer.body };
    error = errorText(answer, destination);
  } else if (options.reply !== undefined && isReply(answer)) {
    const namespace = headerValue(rawHeaders, namespaceHeader);
    const headers = [...passedHeaders(answer.rawHeaders), ...(namespace === undefined ? [] : [namespaceHeader, namespace])];
    const replied = await sendReply(answer, options.reply, (reply, url) => send(reply, url, headers));
    if (replied instanceof EventFault) {
      failure = { destination: options.reply, status: -1 };
      error = `failed to forward reply to ${options.reply}: ${replied.message}`;
    } else {
      last = replied;
      if (!replied.delivered) {
        failure = { destination: options.reply, status: replied.status, body: replied.body };
        error = `failed to forward reply to ${options.reply}: ${reason(replied)}`;
      }
    }
  }
  if (failure === undefined || options.deadLetter === undefined) return { ...result(last), error };
  const letter = await send(deadLetterEvent(event, failure), options.deadLetter, own);
  return { ...result(letter), error: letter.delivered ? undefined : errorText(letter, options.deadLetter) };
}

function sendReply(
  answer: SendAnswer,
  url: string,
  send: (reply: EventMessage, url: string) => Promise<SendAnswer>,
): Promise<SendAnswer> | EventFault {
  const body = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body;
  // The dispatcher does not validate what it passes on.
  const reply = decodeHttp(answer.rawHeaders, body, { as: 'upstream', requireAttributes: false });
  return reply instanceof EventFault ? reply : send(reply, url);
}

/** Anything else in a successful answer is dropped. */
function isReply({ rawHeaders, body, status }: SendAnswer): boolean {
  return isDelivered(status) && kindOfReply(rawHeaders, body.length) === 'event';
}

function result({ status, rawHeaders, body }: SendAnswer): Omit<DispatchResult, 'error'> {
  return { status, rawHeaders, body };
}

function errorText(answer: SendAnswer, url: string): string {
  return `unable to complete request to ${url}: ${reason(answer)}`;
}

function reason({ outcome, status, body }: SendAnswer): string {
  return outcome === 'noResponse' ? String(body) : `unexpected HTTP response, expected 2xx, got ${status}`;
}

function without(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== name);
}
