import { parsePeriod } from '../../src/cloudevents/delivery-period.ts';
import {
  isRetried,
  retryPolicyOf,
  retryWaitMs,
  type DeliveryTimes,
  type TryOutcome,
} from '../../src/cloudevents/delivery-retry.ts';
import { messageOf } from '../../src/errors.ts';
import type { FileReplay, VectorCase } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

interface RetryCase {
  readonly kind: 'period' | 'selective' | 'backoff';
  readonly value: string;
  readonly status?: number;
  readonly delivery: DeliveryTimes;
  readonly retryAfter?: string;
  readonly attempts: number;
}

const inputs = ['id', 'kind', 'note', 'value', 'status', 'nilResponse', 'transportError', 'delivery', 'retryAfter', 'attempts'];
/** No date of the vectors lies after it. */
const nowMs = Date.parse('2026-01-01T00:00:00Z');

/** retry.json: the period parser, which answers are retried, and the waits. */
export const retry: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const expected = Object.fromEntries(Object.entries(item).filter(([name]) => !inputs.includes(name)));
    yield { file, id: item.id, expected, check: (wanted) => differencesOf(wanted, evaluate(item)) };
  }
};

function evaluate(item: VectorCase): Record<string, unknown> {
  const vector = item as unknown as RetryCase;
  switch (vector.kind) {
    case 'period': {
      const period = parsePeriod(vector.value);
      return typeof period === 'string' ? { error: period } : { ...period };
    }
    case 'selective':
      return { retry: isRetried(vector.status === undefined ? 'noResponse' : { status: vector.status }) };
    case 'backoff':
      return backoff(vector);
  }
}

function backoff(vector: RetryCase): Record<string, unknown> {
  try {
    const policy = retryPolicyOf(vector.delivery);
    const outcome: TryOutcome = { status: vector.status ?? 500, retryAfter: vector.retryAfter };
    return {
      retryMax: policy.retryMax,
      requestTimeoutMs: policy.requestTimeoutMs,
      ...(policy.retryAfterMaxMs === undefined ? {} : { retryAfterMaxMs: policy.retryAfterMaxMs }),
      waitsMs: Array.from({ length: vector.attempts }, (_, attempt) => retryWaitMs(policy, attempt, outcome, nowMs)),
    };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
