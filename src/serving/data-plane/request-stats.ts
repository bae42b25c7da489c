/** What one second of a revision's requests looked like; the autoscaler's `Stat` without the name of who reports. */
export interface RequestReport {
  /** Requests under way, averaged over the time since the last report. */
  readonly averageConcurrentRequests: number;
  /** The part of it that an activator has counted already. */
  readonly averageProxiedConcurrentRequests: number;
  /** Requests that arrived since the last report. */
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
}

/** Time-weighted concurrency and arrivals of one revision. Source: `stats/request.go` of knative/networking. */
export class RequestStats {
  concurrency = 0;
  #proxied = 0;
  #changedMs: number;
  #reportedMs: number;
  #weighted = 0;
  #weightedProxied = 0;
  #count = 0;
  #countProxied = 0;

  constructor(nowMs: number) {
    this.#changedMs = nowMs;
    this.#reportedMs = nowMs;
  }

  arrive(nowMs: number, proxied = false): void {
    this.#advance(nowMs);
    this.concurrency++;
    this.#count++;
    if (proxied) {
      this.#proxied++;
      this.#countProxied++;
    }
  }

  leave(nowMs: number, proxied = false): void {
    this.#advance(nowMs);
    this.concurrency--;
    if (proxied) this.#proxied--;
  }

  /** The report since the last one; begins the next. A report of no time has the present concurrency. */
  report(nowMs: number): RequestReport {
    this.#advance(nowMs);
    const elapsedMs = nowMs - this.#reportedMs;
    const report: RequestReport = {
      averageConcurrentRequests: elapsedMs > 0 ? this.#weighted / elapsedMs : this.concurrency,
      averageProxiedConcurrentRequests: elapsedMs > 0 ? this.#weightedProxied / elapsedMs : this.#proxied,
      requestCount: this.#count,
      proxiedRequestCount: this.#countProxied,
    };
    this.#reportedMs = nowMs;
    this.#weighted = 0;
    this.#weightedProxied = 0;
    this.#count = 0;
    this.#countProxied = 0;
    return report;
  }

  #advance(nowMs: number): void {
    const elapsedMs = nowMs - this.#changedMs;
    if (elapsedMs <= 0) return;
    this.#weighted += elapsedMs * this.concurrency;
    this.#weightedProxied += elapsedMs * this.#proxied;
    this.#changedMs = nowMs;
  }
}
