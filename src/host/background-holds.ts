import type { Clock } from '../clock.ts';
import { RequestStats, type Activator, type RequestReport, type RevisionKey } from '../serving/index.ts';

export interface BackgroundHoldsOptions {
  readonly activator: Activator;
  readonly clock: Clock;
  /** How long one piece of background work counts, milliseconds: the time that a request of the revision may take. */
  readonly boundMs: (revision: RevisionKey) => number;
}

interface Hold {
  readonly end: () => void;
}

/**
 * Keeps instances counted while their functions work on after the response (`context.waitUntil`): the autoscaler sees that work as
 * requests under way, and a drain waits for it. Both no longer than the bound.
 */
export class BackgroundHolds {
  readonly #options: BackgroundHoldsOptions;
  readonly #instances = new Map<string, { held: Hold[]; expired: number }>();
  readonly #stats = new Map<RevisionKey, RequestStats>();

  constructor(options: BackgroundHoldsOptions) {
    this.#options = options;
  }

  /** Takes over how many pieces of work an instance has now. */
  update(revision: RevisionKey, instance: string, count: number): void {
    const key = `${revision} ${instance}`;
    let known = this.#instances.get(key);
    if (known === undefined) {
      if (count === 0) return;
      this.#instances.set(key, (known = { held: [], expired: 0 }));
    }
    while (known.held.length + known.expired < count) this.#begin(revision, instance, known);
    // Which of several pieces has ended is not known; those that have run out of time come first.
    while (known.held.length + known.expired > count) {
      if (known.expired > 0) known.expired--;
      else known.held.shift()?.end();
    }
    if (count === 0) this.#instances.delete(key);
  }

  /** Forgets a revision that has been deleted. */
  forget(revision: RevisionKey): void {
    this.#stats.delete(revision);
  }

  /** A revision's report with its background work counted in. */
  added(revision: RevisionKey, report: RequestReport | undefined): RequestReport | undefined {
    const stats = this.#stats.get(revision);
    if (report === undefined || stats === undefined) return report;
    const { averageConcurrentRequests } = stats.report(this.#options.clock.monotonic());
    if (averageConcurrentRequests === 0) return report;
    return { ...report, averageConcurrentRequests: report.averageConcurrentRequests + averageConcurrentRequests };
  }

  #begin(revision: RevisionKey, instance: string, known: { held: Hold[]; expired: number }): void {
    const { activator, clock, boundMs } = this.#options;
    let stats = this.#stats.get(revision);
    if (stats === undefined) this.#stats.set(revision, (stats = new RequestStats(clock.monotonic())));
    const counted = stats;
    counted.arrive(clock.monotonic());
    const release = activator.has(revision) ? activator.hold(revision, instance) : () => undefined;
    const hold: Hold = {
      end() {
        timer[Symbol.dispose]();
        counted.leave(clock.monotonic());
        release();
      },
    };
    const timer = clock.setTimer(boundMs(revision), () => {
      known.held = known.held.filter((other) => other !== hold);
      known.expired++;
      hold.end();
    });
    known.held.push(hold);
  }
}
