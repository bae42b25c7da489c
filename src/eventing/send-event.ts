import { decodeHttp, EventFault, type EventMessage } from '../cloudevents/index.ts';
import { isRetried, retryWaitMs, type RetryPolicy, type TryOutcome } from '../cloudevents/delivery-retry.ts';
import { impliesJson } from '../cloudevents/json-format.ts';
import { isDelivered, kindOfReply } from '../cloudevents/delivery-rules.ts';
import { sleep, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { headerValue } from '../http/index.ts';
import type { ClientResponse, HttpClient } from '../http/exchange.ts';
import { encodeDelivery } from './encode-delivery.ts';
import type { SendObserver } from './observe.ts';

/** What came back from a destination. `status` is 500 and `body` the error's text when nothing came back. */
export interface SendAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array | string;
  readonly delivered: boolean;
  /** What decides about another try. */
  readonly outcome: TryOutcome;
}

export interface SendOptions {
  readonly client: HttpClient;
  /** `json` sends structured mode; default binary. */
  readonly format?: 'json' | 'binary' | undefined;
  /**
   * Gives JSON data that came without content type one, so that binary mode keeps them JSON. Default false: upstream's SDK sends none,
   * and its subscribers get bytes.
   */
  readonly labelJson?: boolean;
  /** Headers that go along, names and values in turn. */
  readonly rawHeaders?: readonly string[];
  /** Ends the try. */
  readonly signal?: AbortSignal;
  /** Largest answer that is read, bytes. Default 1 MiB; a larger one counts as a failed try. */
  readonly answerBytesMax?: number;
  /** Spans and metrics; default none. */
  readonly observer?: SendObserver | undefined;
}

const answerBytesMax = 1024 * 1024;
const redirectsMax = 10;

/** Sends one event to one URL once. Never rejects for what the destination does; it does when the signal aborts with `GivenUp`. */
export async function sendOnce(event: EventMessage, url: string, options: SendOptions): Promise<SendAnswer> {
  const { rawHeaders, body } = encodeDelivery(event, options.format);
  if (options.labelJson === true && options.format !== 'json' && event.datacontenttype === undefined && impliesJson(event)) {
    rawHeaders.push('content-type', 'application/json');
  }
  if (options.rawHeaders !== undefined) for (const item of options.rawHeaders) rawHeaders.push(item);
  const sending = options.observer?.start(url, event, body?.length ?? 0);
  if (sending !== undefined) rawHeaders.push(...sending.rawHeaders);
  const answer = await post(url, rawHeaders, body, options);
  sending?.end(answer.outcome === 'noResponse' ? undefined : answer.status, answer.delivered ? undefined : answer.body);
  return answer;
}

/** The signal's reason when a delivery is given up by its owner, as against a time-out, which is the destination's failure. */
export class GivenUp extends Error {}

async function post(
  url: string,
  rawHeaders: readonly string[],
  body: Uint8Array | undefined,
  options: SendOptions,
): Promise<SendAnswer> {
  const { client, signal } = options;
  try {
    const response = await follow(client, url, rawHeaders, body, signal);
    const bytes = await response.bytes(options.answerBytesMax ?? answerBytesMax);
    const { status } = response;
    return {
      status,
      rawHeaders: response.rawHeaders,
      body: bytes,
      delivered: isDelivered(status),
      outcome: { status, retryAfter: response.header('retry-after') },
    };
  } catch (error) {
    if (signal?.reason instanceof GivenUp) throw signal.reason;
    return {
      status: 500,
      rawHeaders: [],
      body: `dispatch error: ${messageOf(error)}`,
      delivered: false,
      outcome: 'noResponse',
    };
  }
}

/** Redirects as upstream's Go client follows them: 307 and 308 send the event again, 301, 302 and 303 ask with GET, without event. */
async function follow(
  client: HttpClient,
  url: string,
  rawHeaders: readonly string[],
  body: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<ClientResponse> {
  const request = { method: 'POST', url, rawHeaders, ...(body === undefined ? {} : { body }), ...(signal ? { signal } : {}) };
  let response = await client.request(request);
  if (response.status < 301 || response.status > 308 || response.header('location') === undefined) return response;
  let current: { method: string; url: string; rawHeaders: readonly string[]; body?: Uint8Array; signal?: AbortSignal } = request;
  for (let redirects = 0; redirects < redirectsMax; redirects++) {
    const { status } = response;
    const location = response.header('location');
    if (location === undefined || status < 301 || status > 308 || (status > 303 && status < 307)) return response;
    await response.bytes(answerBytesMax);
    const next = new URL(location, current.url).href;
    const headers = [...rawHeaders, 'referer', current.url];
    current =
      status >= 307
        ? { ...request, url: next, rawHeaders: headers }
        : {
            method: 'GET',
            url: next,
            rawHeaders: headers.filter((_, at) => !isBodyHeader(headers[at - (at % 2)])),
            ...(signal ? { signal } : {}),
          };
    response = await client.request(current);
  }
  throw new Error(`stopped after ${redirectsMax} redirects`);
}

function isBodyHeader(name: string | undefined): boolean {
  return name !== undefined && /^content-/i.test(name);
}

export interface RetryOptions extends SendOptions {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  /** Called before each wait. */
  readonly onRetry?: (attempt: number, waitMs: number) => void;
}

/** Sends one event to one URL with the retries and the time-out of a delivery specification. */
export async function sendEvent(
  event: EventMessage,
  url: string,
  options: RetryOptions,
): Promise<SendAnswer & { readonly attempts: number }> {
  const { policy, clock, signal } = options;
  for (let attempt = 0; ; attempt++) {
    const answer = await sendTimed(event, url, options);
    if (answer.delivered || attempt >= policy.retryMax || !isRetried(answer.outcome)) return { ...answer, attempts: attempt + 1 };
    const waitMs = Math.max(0, retryWaitMs(policy, attempt, answer.outcome, clock.now()));
    options.onRetry?.(attempt + 1, waitMs);
    if (waitMs > 0) await sleep(clock, waitMs, signal);
    else signal?.throwIfAborted();
  }
}

async function sendTimed(event: EventMessage, url: string, options: RetryOptions): Promise<SendAnswer> {
  const { policy, clock, signal } = options;
  if (policy.requestTimeoutMs <= 0) return sendOnce(event, url, options);
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimer(policy.requestTimeoutMs, () => limit.abort(noAnswer(policy.requestTimeoutMs)));
  try {
    return await sendOnce(event, url, { ...options, signal: limit.signal });
  } finally {
    timer[Symbol.dispose]();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Why a try without answer failed. */
export function noAnswer(timeoutMs: number): Error {
  return new Error(`no answer within ${timeoutMs} ms`);
}

/**
 * The event in a subscriber's successful answer. `undefined`: there is none. `notAnEvent`: a body that is no event or a broken one, which
 * a broker's filter answers with 502.
 */
export function replyOf({ rawHeaders, body }: SendAnswer): EventMessage | 'notAnEvent' | undefined {
  if (body.length === 0 && headerValue(rawHeaders, 'ce-specversion') === undefined) {
    return kindOfReply(rawHeaders, 0) === 'event' ? 'notAnEvent' : undefined;
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  if (kindOfReply(rawHeaders, bytes.length) === 'notAnEvent') return 'notAnEvent';
  const reply = decodeHttp(rawHeaders, bytes, { as: 'upstream' });
  return reply instanceof EventFault ? 'notAnEvent' : reply;
}
