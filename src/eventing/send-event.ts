import { encodeBinary, encodeStructured, type EventMessage } from '../cloudevents/index.ts';
import { isDelivered } from '../cloudevents/delivery-rules.ts';
import { isRetried, retryWaitMs, type RetryPolicy } from '../cloudevents/delivery-retry.ts';
import { sleep, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';

/** What came back from a destination. `status` is 500 and `body` the error's text when nothing came back. */
export interface SendAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array | string;
  readonly delivered: boolean;
  /** Tries made. */
  readonly attempts: number;
}

export interface SendOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  /** `json` sends structured mode; default binary. */
  readonly format?: 'json' | 'binary' | undefined;
  /** Headers that go along, names and values in turn. */
  readonly rawHeaders?: readonly string[];
  /** Gives up between tries, and ends the one under way. */
  readonly signal?: AbortSignal;
  /** Largest answer that is read, bytes. Default 1 MiB; a larger one counts as a failed try. */
  readonly answerBytesMax?: number;
  /** Called before each wait. */
  readonly onRetry?: (attempt: number, waitMs: number) => void;
}

/**
 * Sends one event to one URL with the retries of a delivery specification. Never rejects for what a destination does; it does when
 * the signal aborts.
 */
export async function sendEvent(event: EventMessage, url: string, options: SendOptions): Promise<SendAnswer> {
  const { policy, clock, signal } = options;
  for (let attempt = 0; ; attempt++) {
    const { answer, outcome } = await tryOnce(event, url, options, attempt + 1);
    if (answer.delivered || attempt >= policy.retryMax || !isRetried(outcome)) return answer;
    const waitMs = Math.max(0, retryWaitMs(policy, attempt, outcome, clock.now()));
    options.onRetry?.(attempt + 1, waitMs);
    await sleep(clock, waitMs, signal);
  }
}

type Tried = { readonly answer: SendAnswer; readonly outcome: Parameters<typeof isRetried>[0] };

async function tryOnce(event: EventMessage, url: string, options: SendOptions, attempts: number): Promise<Tried> {
  const { client, clock, policy, signal } = options;
  const { rawHeaders, body } = options.format === 'json' ? encodeStructured(event) : encodeBinary(event);
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer =
    policy.requestTimeoutMs > 0
      ? clock.setTimer(policy.requestTimeoutMs, () => limit.abort(new Error(`no answer within ${policy.requestTimeoutMs} ms`)))
      : undefined;
  try {
    signal?.throwIfAborted();
    const response = await client.request({
      method: 'POST',
      url,
      rawHeaders: [...rawHeaders, ...(options.rawHeaders ?? [])],
      ...(body === undefined ? {} : { body }),
      signal: limit.signal,
    });
    const bytes = await response.bytes(options.answerBytesMax ?? 1024 * 1024);
    const { status } = response;
    return {
      answer: { status, rawHeaders: response.rawHeaders, body: bytes, delivered: isDelivered(status), attempts },
      outcome: { status, retryAfter: response.header('retry-after') },
    };
  } catch (error) {
    signal?.throwIfAborted();
    const answer = { status: 500, rawHeaders: [], body: `dispatch error: ${messageOf(error)}`, delivered: false, attempts };
    return { answer, outcome: 'noResponse' };
  } finally {
    timer?.[Symbol.dispose]();
    signal?.removeEventListener('abort', onAbort);
  }
}
