import { passedHeaders, namespaceHeader } from '../cloudevents/delivery-headers.ts';
import { noRetries, type RetryPolicy } from '../cloudevents/delivery-retry.ts';
import { deadLetterEvent, isDelivered, kindOfReply } from '../cloudevents/delivery-rules.ts';
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
  if (!answer.delivered) {
    const why = reason(answer, destination);
    const failure = { destination, status: answer.status, body: answer.body };
    if (options.deadLetter === undefined)
      return { ...result(answer), error: `unable to complete request to ${destination}: ${why}` };
    const letter = await send(deadLetterEvent(event, failure), options.deadLetter, own);
    const letterWhy = reason(letter, options.deadLetter);
    return outcomeOf(
      letter,
      `unable to complete request to either ${destination} (${why}) or ${options.deadLetter} (${letterWhy})`,
    );
  }
  if (options.reply === undefined || !isReply(answer)) return outcomeOf(answer, undefined);
  // What the reply is sent with goes along with the dead letter too.
  const namespace = headerValue(rawHeaders, namespaceHeader.toLowerCase());
  const headers = [...passedHeaders(answer.rawHeaders), ...(namespace === undefined ? [] : [namespaceHeader, namespace])];
  const replied = await sendReply(answer, options.reply, (reply, url) => send(reply, url, headers));
  if (replied.delivered) return outcomeOf(replied, undefined);
  const why = reason(replied, options.reply);
  const failed = `failed to forward reply to ${options.reply}`;
  if (options.deadLetter === undefined) return outcomeOf(replied, `${failed}: ${why}`);
  const failure = { destination: options.reply, status: replied.status, body: replied.status === -1 ? undefined : replied.body };
  const letter = await send(deadLetterEvent(event, failure), options.deadLetter, headers);
  const letterWhy = reason(letter, options.deadLetter);
  return outcomeOf(
    letter,
    `${failed} (${why}) and failed to send it to the dead letter sink ${options.deadLetter} (${letterWhy})`,
  );
}

function sendReply(
  answer: SendAnswer,
  url: string,
  send: (reply: EventMessage, url: string) => Promise<SendAnswer>,
): Promise<SendAnswer> {
  const body = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body;
  // The dispatcher does not validate what it passes on.
  const reply = decodeHttp(answer.rawHeaders, body, { as: 'upstream', requireAttributes: false });
  return reply instanceof EventFault ? Promise.resolve(unsent(reply.message)) : send(reply, url);
}

/** What stands for the answer to a request that could not be made. */
function unsent(why: string): SendAnswer {
  const body = `failed to create request: could not write message to request: ${why}`;
  return { status: -1, rawHeaders: [], body, outcome: 'noResponse', delivered: false };
}

/** Anything else in a successful answer is dropped. */
function isReply({ rawHeaders, body, status }: SendAnswer): boolean {
  return isDelivered(status) && kindOfReply(rawHeaders, body.length) === 'event';
}

function result({ status, rawHeaders, body }: SendAnswer): Omit<DispatchResult, 'error'> {
  return { status, rawHeaders, body };
}

function outcomeOf(answer: SendAnswer, error: string | undefined): DispatchResult {
  return { ...result(answer), error: answer.delivered ? undefined : error };
}

function reason({ outcome, status, body }: SendAnswer, url: string): string {
  if (status === -1) return String(body);
  if (outcome === 'noResponse') return `Post ${JSON.stringify(url)}: ${String(body).replace(/^dispatch error: /, '')}`;
  return `unexpected HTTP response, expected 2xx, got ${status}`;
}

function without(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => rawHeaders[at - (at % 2)]?.toLowerCase() !== name);
}
