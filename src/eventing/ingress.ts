import { ingressHeaders, ingressStatus, routeIngress } from '../cloudevents/delivery-ingress.ts';
import { decodeHttp, EventFault, type EventMessage } from '../cloudevents/index.ts';
import { KnativeError } from '../errors.ts';
import { readBody } from '../http/index.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import type { PublishOptions } from './broker-types.ts';
import { LogFullError } from './log.ts';
import type { HopObserver, ObservedHop, SendObserver } from './observe.ts';

export interface IngressPublishOptions extends PublishOptions {
  /** Watches what is sent on for the request. */
  readonly observer?: SendObserver | undefined;
}

/** Where an ingress puts events: a `Broker`, or what `forwardEvents` makes. */
export interface IngressBroker {
  /** Resolves when the event is taken; `status` is passed on (default 202). */
  publish(event: EventMessage, options: IngressPublishOptions): Promise<{ readonly status?: number }>;
}

/** A request as the check of its sender sees it. */
export interface SenderRequest {
  readonly namespace: string;
  readonly name: string;
  readonly event: EventMessage;
  /** The Authorization header. */
  readonly authorization: string | undefined;
}

/** Who may send: the status of the refusal (401, 403, 500), or `undefined` when the sender may. */
export type SenderCheck = (request: SenderRequest) => Promise<number | undefined> | number | undefined;

export interface IngressOptions {
  /** The broker of an address `/NAMESPACE/NAME`; `undefined` when there is none. */
  readonly brokerOf: (namespace: string, name: string) => IngressBroker | undefined;
  /** Default: everybody may send. */
  readonly mayPublish?: SenderCheck | undefined;
  /** Spans and metrics: `observeHops`. */
  readonly observer?: HopObserver | undefined;
}

/**
 * The HTTP face of brokers: `POST /NAMESPACE/NAME` with a CloudEvent in binary or structured mode is answered 202 once the event is
 * in the log, refusals as upstream's ingress answers them. A full log is 429, one that fails or a closed broker 503, both with Retry-After.
 */
export function createIngress(options: IngressOptions): Handler {
  const { observer } = options;
  return (exchange) => {
    const watched = observer?.begin(exchange);
    const answer: Answer = (status, rawHeaders = ingressHeaders) => {
      exchange.respond(status, rawHeaders);
      watched?.end(status, 0);
    };
    const target = routeIngress(exchange.method, exchange.target);
    if ('status' in target) {
      answer(target.status, target.rawHeaders);
      return undefined;
    }
    return take(exchange, target.namespace, target.name, options, answer, watched);
  };
}

type Answer = (status: number, rawHeaders?: readonly string[]) => void;

async function take(
  exchange: Exchange,
  namespace: string,
  name: string,
  { brokerOf, mayPublish }: IngressOptions,
  answer: Answer,
  watched: ObservedHop | undefined,
): Promise<void> {
  const body = await readBody(exchange);
  const event = decodeHttp(exchange.rawHeaders, body, { as: 'upstream' });
  if (event instanceof EventFault) {
    answer(ingressStatus('invalidEvent'));
    return;
  }
  const broker = brokerOf(namespace, name);
  if (broker === undefined) {
    answer(ingressStatus('unknownBroker'));
    return;
  }
  watched?.event(event, namespace, name);
  if (mayPublish !== undefined) {
    const refused = await mayPublish({ namespace, name, event, authorization: exchange.header('authorization') });
    if (refused !== undefined) {
      answer(refused);
      return;
    }
  }
  try {
    const { rawHeaders } = exchange;
    const { status } = await broker.publish(
      event,
      watched === undefined ? { rawHeaders } : { rawHeaders: watched.travelling(rawHeaders), observer: watched.sends },
    );
    answer(status ?? 202);
  } catch (error) {
    refuse(answer, error);
  }
}

function refuse(answer: Answer, error: unknown): void {
  const status = (KnativeError.is(error) ? error.status : undefined) ?? ingressStatus('failed');
  if (status !== 429 && status !== 503) answer(status);
  else {
    const seconds = error instanceof LogFullError ? Math.max(1, Math.ceil(error.retryAfterMs / 1_000)) : 1;
    answer(status, [...ingressHeaders, 'Retry-After', String(seconds)]);
  }
}
