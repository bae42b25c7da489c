import type { RequestReport } from '../../request-stats.ts';
import type { InstanceLoad } from '../activator.ts';
import type { RevisionKey } from '../revision.ts';
import type { WorkerReport } from './messages.ts';

/** What workers have counted, put together. */
export class WorkerReports {
  readonly #unread = new Map<number, Map<RevisionKey, RequestReport>>();
  readonly #loads = new Map<number, WorkerReport['loads']>();

  take(worker: number, { revisions, loads }: WorkerReport): void {
    let unread = this.#unread.get(worker);
    if (unread === undefined) this.#unread.set(worker, (unread = new Map()));
    for (const [revision, report] of revisions) {
      const earlier = unread.get(revision);
      // Two in one period: all requests count, and as many are under way as in the later one.
      unread.set(revision, earlier === undefined ? report : { ...report, ...addCounts(earlier, report) });
    }
    this.#loads.set(worker, loads);
  }

  /** The worker has ended, and its requests with it. */
  forget(worker: number): void {
    this.#loads.delete(worker);
  }

  /** Statistics of all together since the last call. */
  read(): ReadonlyMap<RevisionKey, RequestReport> {
    const sums = new Map<RevisionKey, RequestReport>();
    for (const reports of this.#unread.values()) {
      for (const [revision, report] of reports) sums.set(revision, addReports(sums.get(revision), report));
    }
    this.#unread.clear();
    return sums;
  }

  /** Requests in each instance of a revision, as of the last reports. */
  load(revision: RevisionKey): readonly Omit<InstanceLoad, 'draining'>[] {
    const counts = new Map<string, number>();
    for (const loads of this.#loads.values()) {
      for (const [key, instances] of loads) {
        if (key === revision) for (const [id, inFlight] of instances) counts.set(id, (counts.get(id) ?? 0) + inFlight);
      }
    }
    return [...counts].map(([id, inFlight]) => ({ id, inFlight }));
  }
}

/** The report of two processes for the same period. */
export function addReports(one: RequestReport | undefined, other: RequestReport): RequestReport {
  if (one === undefined) return other;
  return {
    averageConcurrentRequests: one.averageConcurrentRequests + other.averageConcurrentRequests,
    averageProxiedConcurrentRequests: one.averageProxiedConcurrentRequests + other.averageProxiedConcurrentRequests,
    ...addCounts(one, other),
  };
}

function addCounts(one: RequestReport, other: RequestReport): Pick<RequestReport, 'requestCount' | 'proxiedRequestCount'> {
  return {
    requestCount: one.requestCount + other.requestCount,
    proxiedRequestCount: one.proxiedRequestCount + other.proxiedRequestCount,
  };
}
