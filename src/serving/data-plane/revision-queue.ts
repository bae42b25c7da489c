import type { Clock } from '../../clock.ts';
import { KnativeError } from '../../errors.ts';
import { handle, respondText, type Exchange } from '../../http/index.ts';
import type { Logger } from '../../logger.ts';
import type { Random } from '../../random.ts';
import type { Meter } from '../../telemetry/meter.ts';
import type { ActivateOptions, InstanceLoad } from './activator.ts';
import { queueFullText } from './breaker.ts';
import { Deadline, DeadlineList } from './deadline-list.ts';
import type { Forwarder } from './forwarder.ts';
import { GuardedExchange, type ExchangeGuard } from './guarded-exchange.ts';
import { InstanceSet, type Slot } from './instance-picking.ts';
import type { RequestLog } from './request-log.ts';
import { RequestStats, type RequestReport } from '../request-stats.ts';
import { RevisionMetrics } from './revision-metrics.ts';
import type { Instance, InstanceTarget, RevisionKey, RevisionSettings } from './revision.ts';
import { settle } from './settle.ts';
import { affinityCookie, affinityOf } from './session-affinity.ts';
import { TimeoutLists, type RequestTimeouts } from './timeouts.ts';

/** What all revisions of one activator share. */
export interface ActivatorContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly forwarder: Forwarder;
  readonly timeoutText: string;
  readonly requestLog: (revision: RevisionKey, settings: RevisionSettings) => RequestLog | undefined;
  readonly onColdStart: (revision: RevisionKey) => void;
  readonly onColdStartEnd: (revision: RevisionKey) => void;
  readonly onColdStartTimeout: (revision: RevisionKey, waitedMs: number) => void;
}

const queueDepthDefault = 100_000;
/** Attempts to reach an instance before the client gets the error. */
const attemptsMax = 8;
const lossesMax = 2;
/** An instance that refuses connections gets no requests for this long, doubling up to the maximum. */
const quarantineMs = 50;
const quarantineMaxMs = 1_000;

/** The requests and instances of one revision. */
export class RevisionQueue implements ExchangeGuard {
  readonly revision: RevisionKey;
  readonly stats: RequestStats;
  readonly timeoutText: string;
  readonly #context: ActivatorContext;
  readonly #metrics: RevisionMetrics;
  readonly #log: RequestLog | undefined;
  #settings: RevisionSettings = {};
  #instances: InstanceSet<InstanceTarget>;
  #timeouts: TimeoutLists;
  #coldStart: DeadlineList | undefined;
  #waiting: (Run | undefined)[] = [];
  #head = 0;
  #waitingCount = 0;
  #activeCount = 0;
  #coldStartReported = false;
  #releasing = false;
  #known: readonly Instance[] = [];
  readonly #failures = new Map<string, number>();
  readonly #draining = new Map<string, { readonly slot: Slot<InstanceTarget>; readonly resolve: (() => void)[] }>();

  constructor(revision: RevisionKey, settings: RevisionSettings, context: ActivatorContext) {
    this.revision = revision;
    this.#context = context;
    this.timeoutText = context.timeoutText;
    this.stats = new RequestStats(context.clock.monotonic());
    this.#log = context.requestLog(revision, settings);
    this.#metrics = new RevisionMetrics(context.meter, revision, settings.labels);
    this.#instances = this.#createInstances(settings);
    this.#timeouts = new TimeoutLists(context.clock, settings.timeouts ?? {});
    this.configure(settings);
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  get active(): number {
    return this.#activeCount;
  }

  /** Takes over settings together with the instances that they are for: no request must meet new limits on old instances. */
  configure(settings: RevisionSettings, instances: readonly Instance[] = this.#known): void {
    const { containerConcurrency = 0, coldStartTimeoutMs } = settings;
    if (!Number.isInteger(containerConcurrency) || containerConcurrency < 0) {
      throw new KnativeError(
        'SERVING_OPTION_INVALID',
        `containerConcurrency must be 0 or a positive integer, got ${containerConcurrency}`,
        {
          path: 'containerConcurrency',
        },
      );
    }
    const before = this.#settings;
    this.#settings = settings;
    if (!sameTimeouts(before.timeouts, settings.timeouts))
      this.#timeouts = new TimeoutLists(this.#context.clock, settings.timeouts ?? {});
    if (before.coldStartTimeoutMs !== coldStartTimeoutMs) {
      this.#coldStart = coldStartTimeoutMs === undefined ? undefined : new DeadlineList(this.#context.clock, coldStartTimeoutMs);
    }
    if ((before.containerConcurrency ?? 0) !== containerConcurrency || before.picking !== settings.picking) {
      // Old places end with their requests and must not touch the new set.
      this.#instances.set([]);
      this.#instances = this.#createInstances(settings);
    } else if (instances === this.#known) return;
    this.setInstances(instances);
  }

  setInstances(instances: readonly Instance[]): void {
    this.#known = instances;
    this.#instances.set(instances.map(({ id, target }) => ({ id, value: sameTarget(this.#instances.get(id)?.value, target) })));
    for (const [id, { slot, resolve }] of this.#draining) {
      if (this.#instances.get(id) !== slot && slot.inFlight === 0) {
        this.#draining.delete(id);
        for (const done of resolve) done();
      }
    }
    for (const id of this.#failures.keys()) if (this.#instances.get(id) === undefined) this.#failures.delete(id);
    if (instances.length > 0) this.#coldStartReported = false;
    this.#release();
  }

  handle(exchange: Exchange, options: ActivateOptions | undefined): void {
    const nowMs = this.#context.clock.monotonic();
    const run = new Run(exchange, this, nowMs);
    if (options !== undefined) {
      if (options.rawHeaders !== undefined) run.rawHeaders = options.rawHeaders;
      if (options.host !== undefined) run.host = options.host;
      if (options.target !== undefined) run.target = options.target;
      run.hostFromInstance = options.hostFromInstance === true;
      run.proxied = options.proxied === true;
    }
    this.stats.arrive(nowMs, run.proxied);
    // Counted, measured and logged all the same, as upstream's.
    if (this.#waitingCount >= (this.#settings.queueDepth ?? queueDepthDefault)) {
      respondText(run, 503, queueFullText);
      return;
    }
    if (this.#coldStart === undefined) run.startTimeouts(this.#timeouts, nowMs);
    this.#enter(run);
  }

  /** Called by a run when it is over. */
  finished(exchange: GuardedExchange, error: Error | undefined): void {
    const run = exchange as Run;
    const nowMs = this.#context.clock.monotonic();
    this.stats.leave(nowMs, run.proxied);
    if (run.place === 'waiting') this.#forget(run);
    run.responseDone = true;
    if (run.slot !== undefined && !run.handlerRunning) this.#leave(run, run.slot);
    // One that another activator has passed on is measured and logged there, from its arrival on.
    if (run.proxied) return;
    this.#metrics.invocations.finish(run, error, nowMs);
    this.#log?.write({ exchange: run.inner, status: run.status, bytes: run.bytesSent, latencyMs: nowMs - run.arrivedMs });
  }

  /** The statistics since the last report. */
  report(nowMs: number): RequestReport {
    const report = this.stats.report(nowMs);
    this.#metrics.concurrency(report.averageConcurrentRequests);
    return report;
  }

  responseHeaders(exchange: GuardedExchange): readonly string[] {
    const run = exchange as Run;
    const { slot } = run;
    if (run.cold) {
      run.cold = false;
      this.#metrics.coldStart('first-byte', this.#context.clock.monotonic() - run.arrivedMs);
      this.#context.onColdStartEnd(this.revision);
    }
    if (this.#settings.sessionAffinity !== true || slot === undefined) return [];
    return affinityOf(exchange) === slot.id ? [] : affinityCookie(slot.id, exchange.scheme);
  }

  load(): readonly InstanceLoad[] {
    return [...this.#instances.slots]
      .sort((a, b) => a.inFlight - b.inFlight || b.sequence - a.sequence)
      .map(({ id, inFlight }) => ({ id, inFlight, draining: this.#draining.has(id) }));
  }

  drain(id: string): Promise<void> {
    const slot = this.#draining.get(id)?.slot ?? this.#instances.get(id);
    if (slot === undefined) return Promise.resolve();
    this.#instances.setAvailable(slot, false);
    const entry = this.#draining.get(id) ?? { slot, resolve: [] };
    this.#draining.set(id, entry);
    if (slot.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => entry.resolve.push(resolve));
  }

  hold(id: string): () => void {
    const slot = this.#instances.get(id);
    if (slot === undefined) return () => undefined;
    this.#instances.hold(slot);
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#vacate(slot);
    };
  }

  close(status: number, text: string): void {
    for (const run of this.#waiting.slice(this.#head)) if (run !== undefined) respondText(run, status, text);
    for (const { resolve } of this.#draining.values()) for (const done of resolve) done();
    this.#draining.clear();
  }

  /** Called when the work of a handler is over, which may be later than its response. */
  handlerSettled(run: Run): void {
    run.handlerRunning = false;
    if (run.responseDone && run.slot !== undefined) this.#leave(run, run.slot);
  }

  #createInstances({ containerConcurrency = 0, picking }: RevisionSettings): InstanceSet<InstanceTarget> {
    return new InstanceSet({
      containerConcurrency,
      random: this.#context.random,
      ...(picking === undefined ? {} : { policy: picking }),
    });
  }

  #enter(run: Run): void {
    const slot = this.#waitingCount === 0 ? this.#pick(run) : undefined;
    if (slot !== undefined) this.#dispatch(run, slot);
    else this.#wait(run);
  }

  #pick(run: Run): Slot<InstanceTarget> | undefined {
    const preferred = this.#settings.sessionAffinity === true ? affinityOf(run) : undefined;
    return (preferred === undefined ? undefined : this.#instances.pickById(preferred)) ?? this.#instances.pick();
  }

  #wait(run: Run): void {
    run.place = 'waiting';
    run.waitedFromMs = this.#context.clock.monotonic();
    this.#waiting.push(run);
    this.#waitingCount++;
    this.#metrics.queued(1);
    if (this.#coldStart !== undefined) {
      const waitedFromMs = run.waitedFromMs;
      this.#coldStart.start(
        (run.coldStart = new Deadline({ expired: () => this.#coldStartExpired(run, waitedFromMs) })),
        waitedFromMs,
      );
    }
    run.cold = this.#instances.size === 0;
    if (run.cold && !this.#coldStartReported) {
      this.#coldStartReported = true;
      this.#context.logger.debug({ revision: this.revision }, 'request waits for the first instance');
      this.#context.onColdStart(this.revision);
    }
  }

  #coldStartExpired(run: Run, waitedFromMs: number): void {
    const waitedMs = Math.round(this.#context.clock.monotonic() - waitedFromMs);
    this.#context.logger.warn({ revision: this.revision, waitedMs }, 'no instance became ready within the cold-start budget');
    this.#context.onColdStartTimeout(this.revision, waitedMs);
    if (!run.over) respondText(run, 504, `no instance of ${this.revision} became ready within ${waitedMs} ms`);
  }

  #forget(run: Run): void {
    const at = this.#waiting.indexOf(run, this.#head);
    if (at < 0) return;
    this.#waiting[at] = undefined;
    this.#leaveQueue(run);
  }

  /** Returns the time at which it did. */
  #leaveQueue(run: Run): number {
    run.place = 'none';
    run.coldStart?.clear();
    run.coldStart = undefined;
    this.#waitingCount--;
    this.#metrics.queued(-1);
    const nowMs = this.#context.clock.monotonic();
    const waitedMs = nowMs - run.waitedFromMs;
    this.#metrics.waited(waitedMs);
    if (run.cold && !run.over) this.#metrics.coldStart('queue-wait', waitedMs);
    return nowMs;
  }

  /** Hands waiting requests to instances, in order of arrival, as long as there is room. */
  #release(): void {
    // A request that is answered at once comes back here: the loop goes on for it, instead of one more call on the stack.
    if (this.#releasing) return;
    this.#releasing = true;
    try {
      this.#releaseWaiting();
    } finally {
      this.#releasing = false;
    }
  }

  #releaseWaiting(): void {
    while (this.#waitingCount > 0) {
      const run = this.#waiting[this.#head];
      if (run === undefined) {
        this.#head++;
        continue;
      }
      const slot = this.#pick(run);
      if (slot === undefined) return;
      this.#waiting[this.#head++] = undefined;
      run.dispatchedMs = this.#leaveQueue(run);
      this.#dispatch(run, slot);
    }
    if (this.#head > 0) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  #dispatch(run: Run, slot: Slot<InstanceTarget>): void {
    run.slot = slot;
    this.#activeCount++;
    this.#metrics.active(1);
    // Without having waited it is there as it arrives: no need to ask the clock again.
    run.dispatchedMs ??= run.arrivedMs;
    if ((this.#settings.containerConcurrency ?? 0) > 0) this.#metrics.invocations.depth(this.#activeCount + this.#waitingCount);
    if (this.#coldStart !== undefined && run.attempts === 0) run.startTimeouts(this.#timeouts, this.#context.clock.monotonic());
    run.attempts++;
    const target = slot.value;
    if (run.hostFromInstance) run.host = 'address' in target ? target.address : slot.id;
    if ('handler' in target) {
      run.handlerRunning = true;
      handle(
        (exchange) =>
          settle(
            () => target.handler(exchange),
            () => this.handlerSettled(run),
          ),
        run,
        this.#context.logger,
      );
    } else {
      this.#context.forwarder.forward(run, target, (error) => this.#unseen(run, slot, error));
    }
  }

  /**
   * The instance could not be reached, or broke off before it answered a request that is safe to repeat: try another one, or wait
   * until it is back. What two instances have broken off at may be the request's own doing.
   */
  #unseen(run: Run, slot: Slot<InstanceTarget>, error: KnativeError): void {
    if (error.code === 'HTTP_CONNECTION_LOST') run.losses++;
    const failures = (this.#failures.get(slot.id) ?? 0) + 1;
    this.#failures.set(slot.id, failures);
    this.#quarantine(slot, Math.min(quarantineMaxMs, quarantineMs * 2 ** (failures - 1)));
    if (run.over) return;
    this.#leave(run, slot);
    if (run.attempts >= attemptsMax || run.losses >= lossesMax) respondText(run, 502, error.message);
    else this.#enter(run);
  }

  #quarantine(slot: Slot<InstanceTarget>, durationMs: number): void {
    if (!slot.available) return;
    this.#instances.setAvailable(slot, false);
    this.#context.clock.setTimer(durationMs, () => {
      if (this.#draining.has(slot.id)) return;
      this.#instances.setAvailable(slot, true);
      this.#release();
    });
  }

  #leave(run: Run, slot: Slot<InstanceTarget>): void {
    run.slot = undefined;
    this.#activeCount--;
    this.#metrics.active(-1);
    if (run.status !== 0 && run.status !== 502) this.#failures.delete(slot.id);
    this.#vacate(slot);
  }

  #vacate(slot: Slot<InstanceTarget>): void {
    this.#instances.release(slot);
    if (slot.inFlight === 0) {
      const draining = this.#draining.get(slot.id);
      if (draining?.slot === slot) {
        if (slot.index < 0) this.#draining.delete(slot.id);
        for (const done of draining.resolve.splice(0)) done();
      }
    }
    if (this.#waitingCount > 0) this.#release();
  }
}

/** One request in a revision's queue. */
class Run extends GuardedExchange {
  readonly arrivedMs: number;
  dispatchedMs: number | undefined;
  place: 'none' | 'waiting' = 'none';
  slot: Slot<InstanceTarget> | undefined;
  attempts = 0;
  losses = 0;
  handlerRunning = false;
  responseDone = false;
  waitedFromMs = 0;
  coldStart: Deadline | undefined;
  hostFromInstance = false;
  proxied = false;
  /** It found no instance at all. */
  cold = false;

  constructor(inner: Exchange, queue: RevisionQueue, nowMs: number) {
    super(inner, queue);
    this.arrivedMs = nowMs;
  }
}

function sameTimeouts(a: RequestTimeouts = {}, b: RequestTimeouts = {}): boolean {
  return a.requestMs === b.requestMs && a.responseStartMs === b.responseStartMs && a.idleMs === b.idleMs;
}

/** The target known so far if the new one leads to the same place: an instance that is listed again keeps its requests and their count. */
function sameTarget(known: InstanceTarget | undefined, target: InstanceTarget): InstanceTarget {
  if (known === undefined) return target;
  if ('handler' in known || 'handler' in target) {
    return 'handler' in known && 'handler' in target && known.handler === target.handler ? known : target;
  }
  return known.address === target.address && known.protocol === target.protocol ? known : target;
}
