import type { DeliverySpec } from '../api/duck/delivery-spec.ts';
import { decodeHttp, EventFault, toEventMessage, type EventLike, type EventMessage } from '../cloudevents/index.ts';
import { isRetried, retryPolicyOf, retryWaitMs, type RetryPolicy } from '../cloudevents/delivery-retry.ts';
import { deadLetterEvent, kindOfReply, withoutTtl, withTtlOf, type DeliveryFailure } from '../cloudevents/delivery-rules.ts';
import { sleep, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import type { Logger } from '../logger.ts';
import type { EventLog, LogDelivery } from './log.ts';
import { sendEvent } from './send-event.ts';

/** Who gets events: a URL, or a function of this process. What a function returns, if it is an event, is the reply. */
export type Subscriber = string | ((event: EventMessage, context: { readonly signal: AbortSignal }) => unknown);

/** The subscriber's answer is not an event: 502, as upstream's filter answers, so that it is retried and then a dead letter. */
const badReply = 502;

export interface TriggerOptions {
  readonly subscriber: Subscriber;
  /** Retries, time-out, format. Default: one try. */
  readonly delivery?: DeliverySpec;
  /** Where events go that could not be delivered; wins over `delivery.deadLetterSink.uri`. */
  readonly deadLetterSink?: Subscriber;
  /** `ordered`: one event after the other, in the order in which they came in. Default `unordered`. */
  readonly order?: 'ordered' | 'unordered';
  /** Deliveries at a time; default 100, always 1 when ordered. */
  readonly parallelism?: number;
}

export interface DispatcherEdges {
  readonly log: EventLog;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a reply back in. Rejects when the broker refuses it. */
  readonly reply: (event: EventMessage) => Promise<void>;
  /** Headers that go along with every delivery. */
  readonly rawHeaders: readonly string[];
  /** Called for an event that nobody took: no dead letter sink, or it failed too. */
  readonly onLost: (trigger: string, event: EventMessage, failure: DeliveryFailure) => void;
}

type Result = { readonly reply: EventMessage | undefined } | { readonly failure: DeliveryFailure };

/** Delivers the events of one trigger: parallelism, order, retries, replies, dead letters, acknowledgements. */
export class TriggerDispatcher {
  readonly #name: string;
  readonly #options: TriggerOptions;
  readonly #edges: DispatcherEdges;
  readonly #policy: RetryPolicy;
  readonly #parallelism: number;
  readonly #waiting: LogDelivery[] = [];
  readonly #aborter = new AbortController();
  readonly #subscription: Disposable;
  #running = 0;
  #idle: (() => void)[] = [];

  /** Throws CLOUDEVENTS_DELIVERY_PERIOD for a delivery specification that cannot be read. */
  constructor(name: string, options: TriggerOptions, edges: DispatcherEdges) {
    this.#name = name;
    this.#options = options;
    this.#edges = edges;
    this.#policy = retryPolicyOf(options.delivery);
    this.#parallelism = options.order === 'ordered' ? 1 : (options.parallelism ?? 100);
    this.#subscription = edges.log.consume(name, (delivery) => this.#take(delivery));
  }

  /** Deliveries under way. */
  get active(): number {
    return this.#running;
  }

  #take(delivery: LogDelivery): void {
    if (this.#running >= this.#parallelism) this.#waiting.push(delivery);
    else void this.#run(delivery);
  }

  async #run(delivery: LogDelivery): Promise<void> {
    this.#running++;
    try {
      await this.#deliver(delivery.event);
      delivery.ack();
    } catch (error) {
      // Only a stopping broker gets here: the event stays in the log for the next one.
      if (!this.#aborter.signal.aborted) {
        this.#edges.logger.error({ trigger: this.#name, id: delivery.event.id, error: messageOf(error) }, 'delivery failed');
        delivery.nack(1_000);
      }
    } finally {
      this.#running--;
      const next = this.#aborter.signal.aborted ? undefined : this.#waiting.shift();
      if (next !== undefined) void this.#run(next);
      else if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #deliver(event: EventMessage): Promise<void> {
    const result = await this.#send(this.#options.subscriber, withoutTtl(event), event);
    const failure = 'failure' in result ? result.failure : await this.#reply(result.reply);
    if (failure !== undefined) await this.#deadLetter(withoutTtl(event), failure);
  }

  async #reply(reply: EventMessage | undefined): Promise<DeliveryFailure | undefined> {
    if (reply === undefined) return undefined;
    try {
      await this.#edges.reply(reply);
      return undefined;
    } catch (error) {
      return { destination: 'broker', status: 400, body: messageOf(error) };
    }
  }

  async #deadLetter(event: EventMessage, failure: DeliveryFailure): Promise<void> {
    const sink = this.#options.deadLetterSink ?? this.#options.delivery?.deadLetterSink?.uri;
    this.#edges.logger.warn(
      {
        trigger: this.#name,
        id: event.id,
        destination: failure.destination,
        status: failure.status,
        deadLetter: sink !== undefined,
      },
      'event could not be delivered',
    );
    if (sink === undefined) {
      this.#edges.onLost(this.#name, event, failure);
      return;
    }
    const sent = await this.#send(sink, deadLetterEvent(event, failure), event);
    if ('failure' in sent) this.#edges.onLost(this.#name, event, sent.failure);
  }

  #send(subscriber: Subscriber, event: EventMessage, original: EventMessage): Promise<Result> {
    return typeof subscriber === 'string'
      ? this.#sendByHttp(subscriber, event, original)
      : this.#call(subscriber, event, original);
  }

  async #sendByHttp(url: string, event: EventMessage, original: EventMessage): Promise<Result> {
    const { client, clock, logger } = this.#edges;
    const answer = await sendEvent(event, url, {
      client,
      clock,
      policy: this.#policy,
      format: this.#options.delivery?.format,
      rawHeaders: ['Prefer', 'reply', ...this.#edges.rawHeaders],
      signal: this.#aborter.signal,
      onRetry: (attempt, waitMs) =>
        logger.debug({ trigger: this.#name, id: event.id, attempt, waitMs }, 'delivery will be retried'),
    });
    if (!answer.delivered) return { failure: { destination: url, status: answer.status, body: answer.body } };
    const body = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body;
    switch (kindOfReply(answer.rawHeaders, body.length)) {
      case 'nothing':
        return { reply: undefined };
      case 'notAnEvent':
        return { failure: { destination: url, status: badReply, body } };
      case 'event': {
        const reply = decodeHttp(answer.rawHeaders, body, { as: 'upstream' });
        if (reply instanceof EventFault) return { failure: { destination: url, status: badReply, body } };
        return { reply: withTtlOf(reply, original) };
      }
    }
  }

  async #call(subscriber: Exclude<Subscriber, string>, event: EventMessage, original: EventMessage): Promise<Result> {
    const { clock } = this.#edges;
    for (let attempt = 0; ; attempt++) {
      try {
        const returned = subscriber(event, { signal: this.#aborter.signal });
        const value = returned instanceof Promise ? await withTimeout(returned, this.#policy.requestTimeoutMs, clock) : returned;
        return { reply: isEventLike(value) ? withTtlOf(toEventMessage(value), original) : undefined };
      } catch (error) {
        if (attempt >= this.#policy.retryMax || !isRetried('noResponse')) {
          return { failure: { destination: 'function', status: 500, body: messageOf(error) } };
        }
        await sleep(clock, Math.max(0, retryWaitMs(this.#policy, attempt, 'noResponse', clock.now())), this.#aborter.signal);
      }
    }
  }

  /** Takes no more events; resolves when the deliveries under way are done, those that wait for a retry are given up. */
  async close(graceMs: number): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#waiting.length = 0;
    if (this.#running === 0) return;
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
    const timer = this.#edges.clock.setTimer(graceMs, () => this.#aborter.abort(new Error('the broker is closing')));
    await idle;
    timer[Symbol.dispose]();
  }
}

function isEventLike(value: unknown): value is EventLike {
  return typeof value === 'object' && value !== null && 'specversion' in value && 'type' in value && 'source' in value;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  if (timeoutMs <= 0) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer[Symbol.dispose]();
  }
}
