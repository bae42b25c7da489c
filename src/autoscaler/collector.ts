import type { MetricRequest, Stat } from './policy.ts';
import { createWindow, createWindows } from './windows/create-window.ts';
import { checkValue, type Window } from './windows/window.ts';

/**
 * The windows of one revision, in the order of the policy's requests. A sample is what an instance or an activator reports: its
 * total minus the part that an activator has counted already. Samples may be negative and are not clamped.
 */
export class Collection {
  #requests: readonly MetricRequest[];
  #windows: Window[];

  constructor(requests: readonly MetricRequest[]) {
    this.#requests = requests;
    this.#windows = createWindows(requests);
  }

  /** Throws `AUTOSCALER_INVALID_SAMPLE` for NaN, infinite and out-of-range values; nothing is recorded then. */
  record(nowMs: number, stat: Stat): void {
    const concurrency = stat.averageConcurrentRequests - stat.averageProxiedConcurrentRequests;
    const rps = stat.requestCount - stat.proxiedRequestCount;
    checkValue(nowMs, concurrency);
    checkValue(nowMs, rps);
    const windows = this.#windows;
    const requests = this.#requests;
    for (let index = 0; index < windows.length; index++) {
      windows[index]?.add(nowMs, requests[index]?.metric === 'rps' ? rps : concurrency);
    }
  }

  average(index: number, nowMs: number): number {
    return this.#windows[index]?.average(nowMs) ?? 0;
  }

  isEmpty(index: number, nowMs: number): boolean {
    return this.#windows[index]?.isEmpty(nowMs) ?? true;
  }

  /** Takes over changed requests: windows of the same metric and aggregation are resized and keep their data, others start empty. */
  update(nowMs: number, requests: readonly MetricRequest[]): void {
    if (this.#requests.length === 0) {
      this.#windows = createWindows(requests);
      this.#requests = requests;
      return;
    }
    const windows = requests.map((request, index) => {
      const before = this.#requests[index];
      const window = this.#windows[index];
      if (window === undefined || before?.metric !== request.metric || before.aggregation !== request.aggregation) {
        return createWindow(request.aggregation, request.windowMs);
      }
      window.resize(nowMs, request.windowMs);
      return window;
    });
    this.#requests = requests;
    this.#windows = windows;
  }
}

/** The collections of many revisions by key: what activators, scrapers and queue-proxies report to. */
export class MetricCollector {
  readonly #collections = new Map<string, Collection>();

  /** Starts collecting for `key`, or changes its windows. */
  createOrUpdate(key: string, requests: readonly MetricRequest[], nowMs: number): Collection {
    const present = this.#collections.get(key);
    if (present !== undefined) {
      present.update(nowMs, requests);
      return present;
    }
    const collection = new Collection(requests);
    this.#collections.set(key, collection);
    return collection;
  }

  get(key: string): Collection | undefined {
    return this.#collections.get(key);
  }

  /** Records a sample; false when nobody collects for `key`. */
  record(key: string, nowMs: number, stat: Stat): boolean {
    const collection = this.#collections.get(key);
    if (collection === undefined) return false;
    collection.record(nowMs, stat);
    return true;
  }

  delete(key: string): void {
    this.#collections.delete(key);
  }

  get size(): number {
    return this.#collections.size;
  }
}
