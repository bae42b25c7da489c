import { KnativeError } from '../errors.ts';
import { goDurationMs, parsePeriod } from './delivery-period.ts';

/** The part of a delivery specification that times are made from. */
export interface DeliveryTimes {
  readonly retry?: number | undefined;
  readonly timeout?: string | undefined;
  readonly backoffPolicy?: string | undefined;
  readonly backoffDelay?: string | undefined;
  readonly retryAfterMax?: string | undefined;
}

/** A delivery specification as numbers. */
export interface RetryPolicy {
  /** Retries after the first try. */
  readonly retryMax: number;
  readonly backoffPolicy: 'none' | 'linear' | 'exponential';
  readonly backoffDelayMs: number;
  /** Limit of each try; 0 for none. */
  readonly requestTimeoutMs: number;
  /** The most that a Retry-After header may ask for. `undefined`, or 0: the header is ignored. */
  readonly retryAfterMaxMs: number | undefined;
}

/** One try, nothing else: what an absent delivery specification means. */
export const noRetries: RetryPolicy = {
  retryMax: 0,
  backoffPolicy: 'none',
  backoffDelayMs: 0,
  requestTimeoutMs: 0,
  retryAfterMaxMs: undefined,
};

/**
 * Reads a delivery specification. Without policy or delay, or with a policy of another name, retries follow at once. Throws
 * CLOUDEVENTS_DELIVERY_PERIOD for a period that does not parse, with upstream's words.
 */
export function retryPolicyOf(delivery: DeliveryTimes | undefined): RetryPolicy {
  if (delivery === undefined) return noRetries;
  const { retry, timeout, backoffPolicy, backoffDelay, retryAfterMax } = delivery;
  const delayMs =
    backoffPolicy === undefined || backoffDelay === undefined
      ? undefined
      : periodMs(backoffDelay, 'BackoffDelay', 'backoffDelay');
  return {
    retryMax: retry ?? 0,
    backoffPolicy:
      delayMs !== undefined && (backoffPolicy === 'linear' || backoffPolicy === 'exponential') ? backoffPolicy : 'none',
    backoffDelayMs: delayMs ?? 0,
    requestTimeoutMs: timeout === undefined ? 0 : periodMs(timeout, 'Timeout', 'timeout'),
    retryAfterMaxMs: retryAfterMax === undefined ? undefined : periodMs(retryAfterMax, 'RetryAfterMax', 'retryAfterMax'),
  };
}

function periodMs(text: string, name: string, path: string): number {
  const period = parsePeriod(text);
  if (typeof period !== 'string') return period.milliseconds;
  throw new KnativeError('CLOUDEVENTS_DELIVERY_PERIOD', `failed to parse Spec.${name}: ${period}`, {
    path: `delivery.${path}`,
    hint: 'give an ISO 8601 period, such as PT0.5S',
  });
}

/** Why a try failed: a status, or no answer (connection error, timeout). */
export type TryOutcome = { readonly status: number; readonly retryAfter?: string | undefined } | 'noResponse';

/** True for what is worth another try: no answer, 404, 408, 409, 429, every status from 500 on. Redirects and other refusals are not. */
export function isRetried(outcome: TryOutcome): boolean {
  if (outcome === 'noResponse') return true;
  const { status } = outcome;
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429 || status === -1;
}

/**
 * The wait before retry number `attempt`, counted from 0. Linear is delay × attempt, so the first linear retry has no wait; exponential is
 * delay × 2^attempt; a negative delay is none. An answer of 429 or 503 with Retry-After may ask for more, up to the policy's maximum. `nowMs` is what a date in the
 * header is compared with.
 */
export function retryWaitMs(policy: RetryPolicy, attempt: number, outcome: TryOutcome, nowMs: number): number {
  const backoffMs = Math.max(0, backoffAt(policy, attempt));
  if (policy.retryAfterMaxMs === undefined || outcome === 'noResponse') return backoffMs;
  if (outcome.status !== 429 && outcome.status !== 503) return backoffMs;
  return Math.max(backoffMs, Math.min(parseRetryAfterMs(outcome.retryAfter, nowMs), policy.retryAfterMaxMs));
}

function backoffAt({ backoffPolicy, backoffDelayMs }: RetryPolicy, attempt: number): number {
  const factor = backoffPolicy === 'linear' ? attempt : backoffPolicy === 'exponential' ? 2 ** attempt : 0;
  return inGoRange(backoffDelayMs * factor);
}

const goDurationMaxMs = 2 ** 63 / 1_000_000;

function inGoRange(ms: number): number {
  return Math.abs(ms) < goDurationMaxMs || !Number.isFinite(ms) ? ms : goDurationMs(BigInt(Math.round(ms)) * 1_000_000n);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const datePatterns = [
  // IMF-fixdate: Wed, 21 Oct 2015 07:28:00 GMT
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<clock>\d\d:\d\d:\d\d) GMT$/,
  // RFC 850: Wednesday, 21-Oct-15 07:28:00 GMT
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<clock>\d\d:\d\d:\d\d) (?:GMT|UTC)$/,
  // asctime: Wed Oct 21 07:28:00 2015
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<clock>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];
const headerLengthMax = 64;

/** What a Retry-After header asks for: seconds or one of the three HTTP dates; 0 for anything else and for what has passed. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined || header === '' || header.length > headerLengthMax) return 0;
  if (/^[+-]?\d+$/.test(header)) return Math.max(0, inGoRange(Number(header) * 1_000));
  for (const pattern of datePatterns) {
    const groups = pattern.exec(header)?.groups;
    const month = months.indexOf(groups?.['month'] ?? '') + 1;
    if (groups === undefined || month === 0) continue;
    const { year = '', day = '', clock = '' } = groups;
    // Two digits: Go takes 69 to 99 for the last century.
    const fullYear = year.length === 4 ? year : `${Number(year) >= 69 ? 19 : 20}${year}`;
    const atMs = Date.parse(`${fullYear}-${String(month).padStart(2, '0')}-${day.trim().padStart(2, '0')}T${clock}Z`);
    return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs);
  }
  return 0;
}

/** One try of a delivery that never succeeds. */
export interface PlannedTry {
  /** 0 for the first try. */
  readonly attempt: number;
  /** Wait since the try before it failed. */
  readonly waitMs: number;
  /** Earliest start, from the start of the first try, if every try fails at once. */
  readonly earliestMs: number;
  /** Latest start, if every try runs into the request timeout; `undefined` without one, since a try may then take for ever. */
  readonly latestMs: number | undefined;
}

const plannedTriesMax = 1_000;

/**
 * The tries that a delivery specification allows, as data: when each starts if all before it fail (with a status that asks for no further
 * wait). At most 1,000 are listed. After the last one the event goes to the dead letter sink, or is lost without one.
 */
export function planRetries(delivery: DeliveryTimes | undefined): PlannedTry[] {
  const policy = retryPolicyOf(delivery);
  const tries: PlannedTry[] = [];
  let earliestMs = 0;
  let latestMs: number | undefined = 0;
  for (let attempt = 0; attempt <= Math.max(0, policy.retryMax) && attempt < plannedTriesMax; attempt++) {
    const waitMs = attempt === 0 ? 0 : Math.max(0, retryWaitMs(policy, attempt - 1, { status: 500 }, 0));
    earliestMs += waitMs;
    if (attempt > 0)
      latestMs = policy.requestTimeoutMs <= 0 || latestMs === undefined ? undefined : latestMs + policy.requestTimeoutMs + waitMs;
    tries.push({ attempt, waitMs, earliestMs, latestMs });
  }
  return tries;
}
