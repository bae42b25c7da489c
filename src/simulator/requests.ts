import { KnativeError } from '../errors.ts';
import { createRandom } from '../random.ts';
import { createBreaker, type Breaker, type BreakerTicket } from '../serving/data-plane/breaker.ts';
import { revisionCapacity } from '../serving/data-plane/capacity.ts';
import type { Slot } from '../serving/data-plane/instance-picking.ts';
import { RequestStats } from '../serving/request-stats.ts';
import { createSampler } from './distribution.ts';
import { eventKinds, type EventQueue } from './event-queue.ts';
import type { Fleet } from './fleet.ts';
import type { SimulatedInstance } from './instance.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Settings } from './options.ts';
import { createPicker, type InstancePicker } from './picking.ts';

/** "No limit" for a breaker, which counts in whole numbers. */
const unlimited = 2 ** 30;
const poolInitial = 1_024;

/** Counts since the start. */
export interface RequestTotals {
  arrived: number;
  completed: number;
  rejected: number;
  timedOut: number;
  failed: number;
  /** Found no instance at all; with `scalePerRequest` those that started one. */
  cold: number;
  /** Had to wait for a place. */
  waited: number;
  waitedMs: number;
}

/** What requests cause elsewhere. */
export interface RequestListener {
  /** A request has found no instance, the first one since there was one. */
  noInstance(): void;
  /** A request has found no room. */
  noRoom(): void;
  /** The last request has left a ready instance. */
  idle(instance: SimulatedInstance): void;
}

class Waiting implements BreakerTicket {
  readonly request: number;
  readonly sinceMs: number;
  readonly deadlineMs: number;
  isOver = false;
  readonly #granted: (waiting: Waiting) => void;

  constructor(request: number, sinceMs: number, deadlineMs: number, granted: (waiting: Waiting) => void) {
    this.request = request;
    this.sinceMs = sinceMs;
    this.deadlineMs = deadlineMs;
    this.#granted = granted;
  }
  granted(): void {
    this.#granted(this);
  }
}

/**
 * The way of a request, as in the host's activator: a place in an instance at once or a wait for one, first come first served; the
 * breaker counts places, the instance set chooses. Requests are numbers in a pool; nothing is allocated for one that need not wait.
 */
export class Requests {
  readonly totals: RequestTotals = {
    arrived: 0,
    completed: 0,
    rejected: 0,
    timedOut: 0,
    failed: 0,
    cold: 0,
    waited: 0,
    waitedMs: 0,
  };
  readonly stats = new RequestStats(0);
  /** Latencies of completed requests since the last row of the time series. */
  readonly latencies = new LatencyHistogram();
  readonly #queue: EventQueue;
  readonly #fleet: Fleet;
  readonly #listener: RequestListener;
  readonly #containerConcurrency: number;
  readonly #parallelism: number;
  readonly #queueDepth: number;
  readonly #timeoutMs: number;
  readonly #startsPerRequest: boolean;
  readonly #serviceTime: () => number;
  readonly #picker: InstancePicker;
  readonly #breaker: Breaker;
  #arrivedMs = new Float64Array(poolInitial);
  #serviceMs = new Float64Array(poolInitial);
  /** 0 free, 1 under way, 2 will be cut off, 3 over although its event is still to come. */
  #states = new Uint8Array(poolInitial);
  readonly #slots: (Slot<SimulatedInstance> | undefined)[] = [];
  #free: number[] = [];
  #used = 0;
  #members: readonly SimulatedInstance[] = [];
  #noInstanceReported = false;
  /** Requests in instances that are not in the set any more. */
  #outside = 0;
  #limits: Waiting[] = [];
  #limitsHead = 0;
  #limitArmed = false;
  #nowMs = 0;

  constructor(settings: Settings, queue: EventQueue, fleet: Fleet, listener: RequestListener) {
    this.#queue = queue;
    this.#fleet = fleet;
    this.#listener = listener;
    this.#containerConcurrency = settings.containerConcurrency;
    this.#parallelism = settings.parallelism;
    this.#queueDepth = settings.queueDepth;
    this.#timeoutMs = settings.timeoutMs;
    this.#startsPerRequest = settings.keepAliveMs !== undefined;
    this.#serviceTime = createSampler(settings.serviceTime, createRandom(settings.seed + 0x30_0003));
    this.#picker = createPicker(settings.picking, settings.containerConcurrency, createRandom(settings.seed + 0x40_0003));
    this.#breaker = createBreaker({ queueDepth: unlimited, maxConcurrency: unlimited, initialCapacity: 0 });
  }

  get waiting(): number {
    return this.#breaker.waiting;
  }

  /** Takes over which instances are ready. Waiting requests go out at once. */
  refresh(nowMs: number): void {
    this.#nowMs = nowMs;
    const ready = this.#fleet.living.filter(({ state }) => state === 'ready');
    // Requests in instances that leave keep their places, which are not places any more once they are free.
    for (const { state, slot } of this.#members) if (state !== 'ready') this.#outside += slot?.inFlight ?? 0;
    this.#members = ready;
    this.#picker.set(ready.map((instance) => ({ id: instance.id, value: instance })));
    for (const instance of ready) {
      if (instance.slot === undefined) instance.slot = this.#picker.get(instance.id);
    }
    if (ready.length > 0) this.#noInstanceReported = false;
    this.#resize();
  }

  #resize(): void {
    const count = this.#members.length;
    const places = revisionCapacity({
      containerConcurrency: this.#containerConcurrency,
      backends: count,
      assigned: count,
      clusterIp: false,
      activators: 1,
    });
    this.#breaker.resize(Math.min(unlimited, places + this.#outside));
  }

  arrive(nowMs: number): void {
    this.#nowMs = nowMs;
    const { totals } = this;
    const breaker = this.#breaker;
    totals.arrived++;
    const serviceMs = this.#serviceTime();
    if (breaker.tryEnter()) {
      this.stats.arrive(nowMs);
      this.#dispatch(this.#allocate(nowMs, serviceMs), this.#pick());
      return;
    }
    if (breaker.waiting >= this.#queueDepth) {
      totals.rejected++;
      return;
    }
    this.stats.arrive(nowMs);
    this.#wait(this.#allocate(nowMs, serviceMs));
  }

  #allocate(nowMs: number, serviceMs: number): number {
    const request = this.#free.pop() ?? this.#used++;
    if (request === this.#arrivedMs.length) this.#grow();
    this.#arrivedMs[request] = nowMs;
    this.#serviceMs[request] = serviceMs;
    this.#states[request] = 1;
    return request;
  }

  #grow(): void {
    const length = this.#arrivedMs.length * 2;
    const arrivedMs = new Float64Array(length);
    arrivedMs.set(this.#arrivedMs);
    this.#arrivedMs = arrivedMs;
    const serviceMs = new Float64Array(length);
    serviceMs.set(this.#serviceMs);
    this.#serviceMs = serviceMs;
    const states = new Uint8Array(length);
    states.set(this.#states);
    this.#states = states;
  }

  #pick(): Slot<SimulatedInstance> {
    const slot = this.#picker.pick();
    // The breaker lets exactly as many in as there are places.
    if (slot === undefined) throw new KnativeError('SIMULATOR_INVARIANT', 'a request was let in without a place in any instance');
    return slot;
  }

  #dispatch(request: number, slot: Slot<SimulatedInstance>): void {
    this.#slots[request] = slot;
    const { inFlight } = slot;
    if (inFlight === 1) {
      this.#fleet.integrate(this.#nowMs);
      this.#fleet.busy++;
    }
    const slowdown = inFlight > this.#parallelism ? inFlight / this.#parallelism : 1;
    const endMs = this.#nowMs + (this.#serviceMs[request] ?? 0) * slowdown;
    const deadlineMs = (this.#arrivedMs[request] ?? 0) + this.#timeoutMs;
    if (endMs > deadlineMs) {
      this.#states[request] = 2;
      this.#queue.push(deadlineMs, eventKinds.departure, request);
    } else {
      this.#queue.push(endMs, eventKinds.departure, request);
    }
  }

  #wait(request: number): void {
    const { totals } = this;
    totals.waited++;
    const waiting = new Waiting(request, this.#nowMs, this.#nowMs + this.#timeoutMs, this.#granted);
    this.#breaker.enter(waiting);
    this.#limits.push(waiting);
    if (!this.#limitArmed) this.#armLimit();
    if (this.#members.length === 0) {
      if (!this.#startsPerRequest) totals.cold++;
      if (!this.#noInstanceReported) {
        this.#noInstanceReported = true;
        this.#listener.noInstance();
      }
    }
    this.#listener.noRoom();
  }

  readonly #granted = (waiting: Waiting): void => {
    waiting.isOver = true;
    this.totals.waitedMs += this.#nowMs - waiting.sinceMs;
    this.#dispatch(waiting.request, this.#pick());
  };

  // Deadlines are in order of arrival, so one event for the first of those that still wait is enough.
  #armLimit(): void {
    while (this.#limits[this.#limitsHead]?.isOver === true) this.#limitsHead++;
    if (this.#limitsHead > 1_024 && this.#limitsHead * 2 > this.#limits.length) {
      this.#limits = this.#limits.slice(this.#limitsHead);
      this.#limitsHead = 0;
    }
    const first = this.#limits[this.#limitsHead];
    this.#limitArmed = first !== undefined;
    if (first !== undefined) this.#queue.push(first.deadlineMs, eventKinds.waitLimit, 0);
  }

  /** Cuts off those that have waited for too long. */
  waitLimit(nowMs: number): void {
    this.#nowMs = nowMs;
    for (let waiting = this.#limits[this.#limitsHead]; waiting !== undefined; waiting = this.#limits[++this.#limitsHead]) {
      if (waiting.isOver) continue;
      if (waiting.deadlineMs > nowMs) break;
      waiting.isOver = true;
      this.#breaker.cancel(waiting);
      this.stats.leave(nowMs);
      this.totals.timedOut++;
      this.totals.waitedMs += nowMs - waiting.sinceMs;
      this.#states[waiting.request] = 0;
      this.#free.push(waiting.request);
    }
    this.#armLimit();
  }

  depart(request: number, nowMs: number): void {
    this.#nowMs = nowMs;
    const state = this.#states[request];
    this.#states[request] = 0;
    this.#free.push(request);
    if (state === 3) return;
    if (state === 2) this.totals.timedOut++;
    else {
      this.totals.completed++;
      this.latencies.record(nowMs - (this.#arrivedMs[request] ?? 0));
    }
    this.#leave(request);
  }

  #leave(request: number): void {
    const nowMs = this.#nowMs;
    this.stats.leave(nowMs);
    const slot = this.#slots[request];
    this.#slots[request] = undefined;
    if (slot === undefined) return;
    this.#picker.release(slot);
    if (slot.index < 0) {
      this.#outside--;
      this.#resize();
    }
    if (slot.inFlight === 0) {
      const instance = slot.value;
      this.#fleet.integrate(nowMs);
      this.#fleet.busy--;
      instance.idleSinceMs = nowMs;
      if (instance.state === 'draining') this.#fleet.drained(instance, nowMs);
      else if (instance.state === 'ready') this.#listener.idle(instance);
    }
    this.#breaker.leave();
  }

  /** What is in a broken instance fails. */
  failAll(instance: SimulatedInstance, nowMs: number): void {
    this.#nowMs = nowMs;
    const { slot } = instance;
    instance.slot = undefined;
    if (slot === undefined) return;
    for (let request = 0; request < this.#used; request++) {
      if (this.#slots[request] !== slot) continue;
      this.#states[request] = 3;
      this.totals.failed++;
      this.#leave(request);
    }
  }
}
