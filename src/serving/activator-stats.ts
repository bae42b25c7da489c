import { RequestStats } from './request-stats.ts';

/** What an activator tells the autoscaler about one revision. */
export interface ActivatorStat {
  /** Key of the revision, `namespace/name`. */
  readonly revision: string;
  readonly averageConcurrentRequests: number;
  /** May be negative: the first request of a revision has been reported before. */
  readonly requestCount: number;
}

interface RevisionStats {
  readonly stats: RequestStats;
  /** 1 until the request that was reported at once has been taken off the next report. */
  firstRequest: number;
  open: number;
}

/**
 * The activator's side of the statistics. The first request of a revision that it does not know is reported at once, so that a
 * scale from zero need not wait for the end of the period; the next report takes it off again. A revision is forgotten after a
 * period without load and without open requests. Source: knative/serving pkg/activator/handler/concurrency_reporter.go.
 */
export class ActivatorStats {
  readonly #revisions = new Map<string, RevisionStats>();

  /** A request for `revision` has arrived; returns the stat to send at once, if any. Pair each call with `requestOut`. */
  requestIn(revision: string, nowMs: number): ActivatorStat | undefined {
    const known = this.#revisions.get(revision);
    const entry = known ?? { stats: new RequestStats(nowMs), firstRequest: 1, open: 0 };
    entry.open++;
    entry.stats.arrive(nowMs);
    if (known !== undefined) return undefined;
    this.#revisions.set(revision, entry);
    return { revision, averageConcurrentRequests: 1, requestCount: 1 };
  }

  /** A request for `revision` is done. */
  requestOut(revision: string, nowMs: number): void {
    const entry = this.#revisions.get(revision);
    if (entry === undefined) return;
    entry.stats.leave(nowMs);
    entry.open--;
  }

  /** Ends the period for every revision. */
  report(nowMs: number): ActivatorStat[] {
    const stats: ActivatorStat[] = [];
    for (const [revision, entry] of this.#revisions) {
      const report = entry.stats.report(nowMs);
      const first = entry.firstRequest;
      entry.firstRequest = 0;
      if (report.averageConcurrentRequests === 0 && entry.open === 0) this.#revisions.delete(revision);
      stats.push({
        revision,
        // The early report claimed a whole request; the real average may be lower, which must not turn negative.
        averageConcurrentRequests: Math.max(report.averageConcurrentRequests - first, 0),
        requestCount: report.requestCount - first,
      });
    }
    return stats;
  }

  /** Revisions with requests in this or the last period. */
  get size(): number {
    return this.#revisions.size;
  }
}
