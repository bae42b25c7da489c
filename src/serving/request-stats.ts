/** What a source of requests reports for one period. */
export interface RequestReport {
  /** Requests in flight on average: two requests of half a second within one second make 1. */
  readonly averageConcurrentRequests: number;
  /** The part of it that came through an activator. */
  readonly averageProxiedConcurrentRequests: number;
  /** Requests that arrived in the period. */
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
}

const nanosecondsPerMs = 1e6;
const nanosecondsPerSecond = 1e9;

/**
 * Counts requests as they come and go and integrates how many are in flight, as queue-proxies and activators do. Times are
 * milliseconds of any clock that does not go back, fractions allowed; a time that goes back counts as no time passed. Requests that
 * came through an activator count in both columns. Source: knative.dev/networking pkg/http/stats.
 */
export class RequestStats {
  #lastChangeMs: number;
  #concurrency = 0;
  #proxiedConcurrency = 0;
  #requestCount = 0;
  #proxiedCount = 0;
  #concurrencySeconds = 0;
  #proxiedConcurrencySeconds = 0;
  #seconds = 0;

  constructor(startedAtMs: number) {
    this.#lastChangeMs = startedAtMs;
  }

  /** A request has arrived, `proxied` through an activator. */
  arrive(nowMs: number, proxied = false): void {
    this.#integrate(nowMs);
    this.#requestCount++;
    this.#concurrency++;
    if (!proxied) return;
    this.#proxiedCount++;
    this.#proxiedConcurrency++;
  }

  /** A request is done. */
  leave(nowMs: number, proxied = false): void {
    this.#integrate(nowMs);
    this.#concurrency--;
    if (proxied) this.#proxiedConcurrency--;
  }

  /** Requests in flight now. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** Ends the period; a second report at the same instant is all zeros. */
  report(nowMs: number): RequestReport {
    this.#integrate(nowMs);
    const seconds = this.#seconds;
    const report = {
      averageConcurrentRequests: seconds > 0 ? this.#concurrencySeconds / seconds : 0,
      averageProxiedConcurrentRequests: seconds > 0 ? this.#proxiedConcurrencySeconds / seconds : 0,
      requestCount: this.#requestCount,
      proxiedRequestCount: this.#proxiedCount,
    };
    this.#concurrencySeconds = 0;
    this.#proxiedConcurrencySeconds = 0;
    this.#requestCount = 0;
    this.#proxiedCount = 0;
    this.#seconds = 0;
    return report;
  }

  #integrate(nowMs: number): void {
    const nanoseconds = Math.round((nowMs - this.#lastChangeMs) * nanosecondsPerMs);
    if (!(nanoseconds > 0)) return;
    // Whole seconds and the rest are added in this form: the sums are then equal to upstream's to the last bit.
    const rest = nanoseconds % nanosecondsPerSecond;
    const seconds = (nanoseconds - rest) / nanosecondsPerSecond + rest / nanosecondsPerSecond;
    this.#seconds += seconds;
    this.#concurrencySeconds += this.#concurrency * seconds;
    this.#proxiedConcurrencySeconds += this.#proxiedConcurrency * seconds;
    this.#lastChangeMs = nowMs;
  }
}
