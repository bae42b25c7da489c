import { namespaceHeader, passedHeaders } from '../cloudevents/delivery-headers.ts';
import { isDelivered, kindOfReply, ttlAttribute, ttlOf, withoutTtl } from '../cloudevents/delivery-rules.ts';
import { decodeHttp, EventFault, type EventMessage } from '../cloudevents/index.ts';
import { readBody } from '../http/index.ts';
import type { Exchange, Handler, HttpClient } from '../http/exchange.ts';
import { encodeDelivery } from './encode-delivery.ts';
import type { Filter } from './filters/compile-filter.ts';
import { wireForm } from './filters/wire-form.ts';
import type { HopObserver, ObservedHop } from './observe.ts';
import { sendOnce, type SendAnswer, type SendOptions } from './send-event.ts';

/** A trigger as the filter handler needs it. */
export interface FilterTarget {
  readonly uid: string;
  /** `undefined` delivers everything. */
  readonly filter?: Filter | undefined;
  readonly subscriber: string | undefined;
  /** Where `/reply` leads: the broker's address. */
  readonly reply: string | undefined;
  /** Where `/dls` leads. */
  readonly deadLetter: string | undefined;
  readonly format?: 'json' | 'binary' | undefined;
}

export interface FilterHandlerOptions {
  readonly triggerOf: (namespace: string, name: string) => FilterTarget | undefined;
  readonly client: HttpClient;
  /** Status of the refusal, or `undefined` when the sender may. */
  readonly mayDeliver?: (
    target: FilterTarget,
    authorization: string | undefined,
  ) => Promise<number | undefined> | number | undefined;
  /** Spans and metrics: `observeHops`. */
  readonly observer?: HopObserver | undefined;
}

const headers: readonly string[] = ['Allow', 'POST'];

/**
 * Upstream's broker filter as a handler: `POST /triggers/NAMESPACE/NAME/UID`, to which a channel sends each event of the broker. It delivers
 * once, without retries, and answers with the subscriber's status and reply, so that whoever sends retries and handles replies.
 * `/reply` and `/dls` behind the UID forward to those addresses. Source: knative/eventing pkg/broker/filter.
 */
export function createFilterHandler(options: FilterHandlerOptions): Handler {
  return async (exchange) => {
    const watched = options.observer?.begin(exchange);
    const answer: Answer = (status, rawHeaders = headers, body) => {
      exchange.respond(status, rawHeaders, body);
      watched?.end(status, body?.length ?? 0);
    };
    if (exchange.method !== 'POST') answer(405);
    else await take(exchange, options, answer, watched);
  };
}

type Answer = (status: number, rawHeaders?: readonly string[], body?: Uint8Array | string) => void;

async function take(
  exchange: Exchange,
  options: FilterHandlerOptions,
  answer: Answer,
  watched: ObservedHop | undefined,
): Promise<void> {
  const path = routeFilter(exchange.target);
  if (path === undefined) {
    answer(400);
    return;
  }
  const body = await readBody(exchange);
  const target = options.triggerOf(path.namespace, path.name);
  if (target === undefined) {
    answer(404);
    return;
  }
  if (target.uid !== path.uid) {
    answer(400);
    return;
  }
  const event = decodeHttp(exchange.rawHeaders, body, { as: 'upstream', requireAttributes: false });
  if (event instanceof EventFault) {
    answer(400);
    return;
  }
  const refused = await options.mayDeliver?.(target, exchange.header('authorization'));
  if (refused !== undefined) {
    answer(refused);
    return;
  }
  watched?.event(event, path.namespace, path.name);
  const send: SendOptions = { client: options.client, format: target.format, observer: watched?.sends };
  if (path.to === 'subscriber') await toSubscriber(exchange, event, path.namespace, target, send, answer);
  else await forward(exchange, event, path, target, send, answer);
}

interface FilterPath {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly to: 'subscriber' | 'reply' | 'dls';
}

/** `/triggers/NAMESPACE/NAME/UID`, with one more segment at most; a query is part of the last one. */
function routeFilter(target: string): FilterPath | undefined {
  const [root, triggers, namespace, name, uid, more, ...rest] = target.split('/');
  if (root !== '' || triggers !== 'triggers' || namespace === undefined || name === undefined || uid === undefined)
    return undefined;
  if (rest.length > 0) return undefined;
  return { namespace, name, uid, to: more === 'reply' || more === 'dls' ? more : 'subscriber' };
}

async function toSubscriber(
  exchange: Exchange,
  event: EventMessage,
  namespace: string,
  target: FilterTarget,
  options: SendOptions,
  answer: Answer,
): Promise<void> {
  const ttl = ttlOf(event);
  if (ttl === undefined) {
    answer(400);
    return;
  }
  if (target.subscriber === undefined) {
    answer(404);
    return;
  }
  const bare = withoutTtl(event);
  const passes = target.filter === undefined || target.filter.matches(wireForm(bare));
  if (!passes) {
    answer(200);
    return;
  }
  const rawHeaders = ['Prefer', 'reply', ...passedHeaders(exchange.rawHeaders), namespaceHeader, namespace];
  const sent = await sendOnce(bare, target.subscriber, { ...options, rawHeaders });
  if (sent.delivered) answerWithReply(sent, ttl, answer);
  else answerFailure(sent, target.subscriber, answer);
}

/** Everything but the body's framing goes along; the hop count stays as it is. */
async function forward(
  exchange: Exchange,
  event: EventMessage,
  path: FilterPath,
  target: FilterTarget,
  options: SendOptions,
  answer: Answer,
): Promise<void> {
  const url = path.to === 'reply' ? target.reply : target.deadLetter;
  if (url === undefined) {
    // No dead letter sink is nothing to complain about.
    answer(path.to === 'dls' ? 200 : 404);
    return;
  }
  const rawHeaders = ['Prefer', 'reply', ...forwardedHeaders(exchange.rawHeaders), namespaceHeader, path.namespace];
  const sent = await sendOnce(event, url, { ...options, rawHeaders });
  if (sent.delivered) answer(sent.status, [...headers, ...passedHeaders(sent.rawHeaders)]);
  else answerFailure(sent, url, answer);
}

const ownHeader =
  /^(?:ce-.*|content-.*|host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|prefer|kn-namespace|user-agent|accept-encoding|traceparent|tracestate|baggage)$/i;

function forwardedHeaders(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => !ownHeader.test(rawHeaders[at - (at % 2)] ?? ''));
}

function answerFailure(sent: SendAnswer, url: string, answer: Answer): void {
  const bytes = typeof sent.body === 'string' ? Buffer.from(sent.body) : Buffer.from(sent.body);
  const text = JSON.stringify({ errdestination: url, errresponsebody: bytes.toString('base64') });
  const passed = passedHeaders(sent.rawHeaders);
  answer(sent.status, [...headers, ...passed, 'Content-Type', 'text/plain; charset=utf-8'], text);
}

/** The subscriber's answer as the answer to whoever sent the event: an event with the old hop count, or nothing; a body that is no event is 502. */
function answerWithReply(sent: SendAnswer, ttl: number, answer: Answer): void {
  const body = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body;
  const kind = kindOfReply(sent.rawHeaders, body.length);
  if (kind === 'nothing') {
    answer(sent.status, [...headers, ...passedHeaders(sent.rawHeaders)]);
    return;
  }
  const reply =
    kind === 'event' && isDelivered(sent.status)
      ? decodeHttp(sent.rawHeaders, body, { as: 'upstream', requireAttributes: false })
      : undefined;
  if (reply === undefined || reply instanceof EventFault) {
    answer(502);
    return;
  }
  const encoded = encodeDelivery(reply.with({ [ttlAttribute]: ttl }));
  answer(sent.status, [...headers, ...passedHeaders(sent.rawHeaders), ...encoded.rawHeaders], encoded.body);
}
