import type { Decision } from '../autoscaler/policy.ts';
import type { Clock } from '../clock.ts';
import { createRandom, type Random } from '../random.ts';
import { createArrivals, type Arrivals } from './arrivals.ts';
import { eventKinds, EventQueue } from './event-queue.ts';
import { Fleet } from './fleet.ts';
import type { SimulatedInstance } from './instance.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Settings } from './options.ts';
import { Requests } from './requests.ts';
import { Scaling } from './scaling.ts';
import { Series } from './series.ts';

const reportPeriodMs = 1_000;
/** At the same instant new requests come after events up to this kind. */
const beforeArrivals = eventKinds.ready;

/** What a run leaves behind. */
export interface EngineResult {
  readonly series: Series;
  readonly latencies: LatencyHistogram;
  readonly requests: Requests;
  readonly fleet: Fleet;
  readonly scaling: Scaling | undefined;
  /** Integral of requests in the system over time, request × ms. */
  readonly concurrencyMs: number;
  readonly panicMs: number;
}

/** Runs a simulation from the first event to the last. */
export function runEngine(settings: Settings): EngineResult {
  return new Engine(settings).run();
}

class Engine {
  readonly #settings: Settings;
  readonly #queue = new EventQueue();
  readonly #fleet: Fleet;
  readonly #requests: Requests;
  readonly #scaling: Scaling | undefined;
  readonly #arrivals: Arrivals;
  readonly #series: Series;
  readonly #latencies = new LatencyHistogram();
  readonly #timers = new Map<number, () => void>();
  #timerCount = 0;
  #nowMs = 0;
  #wanted = 0;
  #readyDirty = false;
  #concurrencyMs = 0;
  #rowConcurrencyMs = 0;
  #rowBusyMs = 0;
  #rowStart = { arrived: 0, rejected: 0, timedOut: 0, failed: 0, cold: 0 };
  #panicMs = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#fleet = new Fleet(settings, this.#queue, {
      readyChanged: () => void (this.#readyDirty = true),
      broken: (instance) => this.#broken(instance),
    });
    this.#requests = new Requests(settings, this.#queue, this.#fleet, {
      noInstance: () => this.#scaling?.coldStart(),
      noRoom: () => this.#noRoom(),
      idle: (instance) => this.#idle(instance),
    });
    this.#scaling =
      settings.keepAliveMs === undefined
        ? new Scaling(settings, this.#clock(), {
            readyPods: () => this.#fleet.ready,
            replicas: () => this.#wanted,
            scaleTo: (replicas) => this.#scaleTo(replicas),
          })
        : undefined;
    let part = 0;
    const randomFor = (): Random => createRandom(settings.seed + 0x50_0003 + part++);
    this.#arrivals = createArrivals(settings.load, settings.startMs, randomFor);
    this.#series = new Series(Math.floor(settings.durationMs / settings.sampleMs) + 2);
  }

  /** The time of the run for the autoscaler: its timers are events. */
  #clock(): Clock {
    return {
      now: () => this.#settings.startMs + this.#nowMs,
      monotonic: () => this.#nowMs,
      setTimer: (delayMs, run) => {
        const number = this.#timerCount++ & 0xff_ffff;
        this.#timers.set(number, run);
        this.#queue.push(this.#nowMs + Math.max(0, delayMs), eventKinds.timer, number);
        return { [Symbol.dispose]: () => void this.#timers.delete(number) };
      },
    };
  }

  run(): EngineResult {
    this.#start();
    this.#loop();
    this.#fleet.integrate(this.#settings.durationMs);
    this.#latencies.take(this.#requests.latencies);
    return {
      series: this.#series,
      latencies: this.#latencies,
      requests: this.#requests,
      fleet: this.#fleet,
      scaling: this.#scaling,
      concurrencyMs: this.#concurrencyMs,
      panicMs: this.#panicMs,
    };
  }

  #start(): void {
    const { keepAliveMs, initialInstances } = this.#settings;
    const initial = keepAliveMs === undefined ? Scaling.initialReplicas(this.#settings) : (initialInstances ?? 0);
    this.#wanted = initial;
    // The decider begins before its first instance is ready, as that of a new revision does.
    this.#scaling?.start();
    this.#fleet.startReady(initial);
    if (keepAliveMs !== undefined) for (const instance of this.#fleet.living) this.#arm(instance, keepAliveMs);
    this.#refresh();
    this.#queue.push(reportPeriodMs, eventKinds.report, 0);
    this.#queue.push(0, eventKinds.sample, 0);
  }

  #loop(): void {
    const queue = this.#queue;
    const arrivals = this.#arrivals;
    const requests = this.#requests;
    const { durationMs } = this.#settings;
    let arrivalMs = arrivals.next();
    for (;;) {
      const eventMs = queue.times[0] ?? Infinity;
      if (arrivalMs < eventMs || (arrivalMs === eventMs && queue.nextKind > beforeArrivals)) {
        if (arrivalMs >= durationMs) break;
        this.#nowMs = arrivalMs;
        requests.arrive(arrivalMs);
        if (this.#readyDirty) this.#refresh();
        arrivalMs = arrivals.next();
        continue;
      }
      if (eventMs > durationMs) break;
      this.#nowMs = eventMs;
      const kind = queue.nextKind;
      const payload = queue.pop();
      if (kind === eventKinds.departure) requests.depart(payload, eventMs);
      else this.#handle(kind, payload);
      if (this.#readyDirty) this.#refreshUnlessMore();
    }
  }

  #handle(kind: number, payload: number): void {
    const nowMs = this.#nowMs;
    switch (kind) {
      case eventKinds.ready:
        return this.#fleet.started(payload, nowMs);
      case eventKinds.expiry:
        return this.#expire(payload);
      case eventKinds.crash:
        return this.#fleet.crash(payload, nowMs);
      case eventKinds.waitLimit:
        return this.#requests.waitLimit(nowMs);
      case eventKinds.timer: {
        const run = this.#timers.get(payload);
        this.#timers.delete(payload);
        return run?.();
      }
      case eventKinds.report:
        return this.#report();
      default:
        return this.#sample();
    }
  }

  // Instances that get ready at the same instant change the set once.
  #refreshUnlessMore(): void {
    const queue = this.#queue;
    if (queue.times[0] === this.#nowMs && queue.nextKind === eventKinds.ready) return;
    this.#refresh();
  }

  #refresh(): void {
    // The autoscaler may change the set again in its pass.
    while (this.#readyDirty) {
      this.#readyDirty = false;
      this.#requests.refresh(this.#nowMs);
      this.#scaling?.pass();
    }
  }

  #scaleTo(replicas: number): void {
    this.#wanted = replicas;
    this.#fleet.scaleTo(replicas, this.#nowMs);
  }

  #broken(instance: SimulatedInstance): void {
    this.#requests.refresh(this.#nowMs);
    this.#requests.failAll(instance, this.#nowMs);
    this.#readyDirty = true;
  }

  #noRoom(): void {
    if (this.#settings.keepAliveMs === undefined) return;
    // Those that start already are for the requests before this one.
    if (this.#requests.waiting <= this.#fleet.living.length - this.#fleet.ready) return;
    this.#requests.totals.cold++;
    this.#fleet.addOne(this.#nowMs);
  }

  #idle(instance: SimulatedInstance): void {
    const { keepAliveMs } = this.#settings;
    if (keepAliveMs !== undefined && !instance.expiryArmed) this.#arm(instance, keepAliveMs);
  }

  #arm(instance: SimulatedInstance, inMs: number): void {
    instance.expiryArmed = true;
    this.#queue.push(this.#nowMs + inMs, eventKinds.expiry, instance.number);
  }

  #expire(number: number): void {
    const instance = this.#fleet.of(number);
    const { keepAliveMs = 0 } = this.#settings;
    if (instance === undefined) return;
    instance.expiryArmed = false;
    if (instance.state !== 'ready' || !instance.isIdle) return;
    const leftMs = instance.idleSinceMs + keepAliveMs - this.#nowMs;
    if (leftMs > 0) this.#arm(instance, leftMs);
    else this.#fleet.remove(instance, this.#nowMs);
  }

  #report(): void {
    const nowMs = this.#nowMs;
    const stat = this.#requests.stats.report(nowMs);
    this.#rowConcurrencyMs += stat.averageConcurrentRequests * reportPeriodMs;
    this.#queue.push(nowMs + reportPeriodMs, eventKinds.report, 0);
    const last = this.#scaling?.last;
    if (last !== undefined && 'inPanic' in last && last.inPanic === true) this.#panicMs += reportPeriodMs;
    // A revision without instances and requests reports nothing, as there is nobody to do it.
    if (stat.requestCount === 0 && stat.averageConcurrentRequests === 0 && this.#fleet.ready === 0) return;
    this.#scaling?.report(stat);
  }

  #sample(): void {
    const nowMs = this.#nowMs;
    const { sampleMs, durationMs, onProgress } = this.#settings;
    const { totals, latencies } = this.#requests;
    const fleet = this.#fleet;
    const before = this.#rowStart;
    fleet.integrate(nowMs);
    const last = this.#scaling?.last;
    const wish = this.#scaling === undefined ? fleet.living.length : (this.#scaling.log.entries.at(-1)?.desired ?? -1);
    this.#series.add({
      atMs: nowMs,
      requestsPerSecond: ((totals.arrived - before.arrived) / sampleMs) * 1_000,
      concurrency: this.#rowConcurrencyMs / sampleMs,
      waiting: this.#requests.waiting,
      desiredReplicas: wish,
      replicas: this.#scaling === undefined ? fleet.living.length : this.#wanted,
      readyReplicas: fleet.ready,
      startingReplicas: fleet.living.length - fleet.ready,
      drainingReplicas: fleet.draining,
      busyReplicas: (fleet.totals.busyMs - this.#rowBusyMs) / sampleMs,
      panic: observed(last, 'inPanic'),
      stableValue: observed(last, 'stableValue'),
      panicValue: observed(last, 'panicValue'),
      targetValue: observed(last, 'targetValue'),
      latencyP50Ms: latencies.count === 0 ? NaN : latencies.quantile(0.5),
      latencyP95Ms: latencies.count === 0 ? NaN : latencies.quantile(0.95),
      latencyP99Ms: latencies.count === 0 ? NaN : latencies.quantile(0.99),
      rejected: totals.rejected - before.rejected,
      timedOut: totals.timedOut - before.timedOut,
      failed: totals.failed - before.failed,
      coldStarts: totals.cold - before.cold,
    });
    this.#rowStart = { ...totals };
    this.#rowBusyMs = fleet.totals.busyMs;
    this.#concurrencyMs += this.#rowConcurrencyMs;
    this.#rowConcurrencyMs = 0;
    this.#latencies.take(latencies);
    if (nowMs + sampleMs <= durationMs) this.#queue.push(nowMs + sampleMs, eventKinds.sample, 0);
    if (onProgress !== undefined && this.#series.length % this.#progressRows === 0) onProgress(nowMs / durationMs);
  }

  get #progressRows(): number {
    return Math.max(1, Math.floor(this.#settings.durationMs / this.#settings.sampleMs / 100));
  }
}

/** What a decision says that it saw; NaN for policies that say nothing, 0 or 1 for truths. */
function observed(decision: Decision | undefined, name: string): number {
  const value: unknown = decision === undefined ? undefined : Reflect.get(decision, name);
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : name === 'inPanic' ? 0 : NaN;
}
