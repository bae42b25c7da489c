import { isDelivered } from '../cloudevents/delivery-rules.ts';
import {
  isRetried,
  retryPolicyOf,
  retryWaitMs,
  type DeliveryTimes,
  type RetryPolicy,
  type TryOutcome,
} from '../cloudevents/delivery-retry.ts';
import type { EventMessage } from '../cloudevents/event-message.ts';
import { encodeBinary } from '../cloudevents/http-binding.ts';
import { realClock, sleep, type Clock } from '../clock.ts';
import { KnativeError, messageOf } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import { createHttpClient } from '../http/undici-client.ts';
import type { Deliver } from './emit.ts';

/** What applies when nothing is configured: five retries, 0.1 s doubling, 30 s for each try, Retry-After up to a minute. */
export const defaultSinkDelivery: DeliveryTimes = {
  retry: 5,
  backoffPolicy: 'exponential',
  backoffDelay: 'PT0.1S',
  timeout: 'PT30S',
  retryAfterMax: 'PT1M',
};

export interface SinkDelivererOptions {
  /** Carries the requests; default a pooled client of its own, made with the first event. */
  readonly client?: HttpClient;
  /** Retries, back-off and time-out as in a Trigger's `delivery`; default `defaultSinkDelivery`. */
  readonly delivery?: DeliveryTimes;
  readonly clock?: Clock;
}

/** Sends events to a sink by HTTP, with the rules of eventing's deliveries. */
export interface SinkDeliverer {
  readonly deliver: Deliver;
  close(): Promise<void>;
}

/** A deliverer for `context.emit`. An event that the sink refuses, or that every retry failed for, rejects. */
export function createSinkDeliverer(options: SinkDelivererOptions = {}): SinkDeliverer {
  const policy = retryPolicyOf(options.delivery ?? defaultSinkDelivery);
  const clock = options.clock ?? realClock;
  let own: HttpClient | undefined;
  const clientOf = (): HttpClient => options.client ?? (own ??= createHttpClient());
  return {
    async deliver(event, sink, signal) {
      for (let attempt = 0; ; attempt++) {
        const outcome = await tryOnce(clientOf(), event, sink, policy, clock, signal);
        if (outcome !== 'noResponse' && isDelivered(outcome.status)) return;
        if (attempt >= policy.retryMax || !isRetried(outcome)) throw refused(sink, outcome, attempt + 1);
        await sleep(clock, retryWaitMs(policy, attempt, outcome, clock.now()), signal);
      }
    },
    async close() {
      await own?.close();
    },
  };
}

interface Tried {
  readonly status: number;
  readonly retryAfter?: string | undefined;
}

async function tryOnce(
  client: HttpClient,
  event: EventMessage,
  sink: string,
  policy: RetryPolicy,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<TryOutcome & (Tried | 'noResponse')> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const timer =
    policy.requestTimeoutMs > 0
      ? clock.setTimer(policy.requestTimeoutMs, () =>
          limit.abort(new KnativeError('FUNCTIONS_SINK_TIMEOUT', 'the sink did not answer in time')),
        )
      : undefined;
  try {
    const { rawHeaders, body } = encodeBinary(event);
    const response = await client.request({
      method: 'POST',
      url: sink,
      rawHeaders,
      signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
      ...(body === undefined ? {} : { body }),
    });
    await response.bytes().catch(() => undefined);
    return { status: response.status, retryAfter: response.header('retry-after') };
  } catch (error) {
    signal?.throwIfAborted();
    // A sink that is no URL will not become one by trying again.
    if (KnativeError.is(error) && error.code === 'HTTP_URL_INVALID') {
      throw new KnativeError('FUNCTIONS_SINK_INVALID', messageOf(error), { path: 'K_SINK', cause: error });
    }
    return 'noResponse';
  } finally {
    timer?.[Symbol.dispose]();
  }
}

function refused(sink: string, outcome: TryOutcome, tries: number): KnativeError {
  const what = outcome === 'noResponse' ? 'could not be reached' : `answered ${outcome.status}`;
  return new KnativeError('FUNCTIONS_SINK_FAILED', `the sink ${sink} ${what} (${tries} ${tries === 1 ? 'try' : 'tries'})`, {
    path: 'K_SINK',
  });
}
