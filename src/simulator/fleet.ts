import { createRandom, type Random } from '../random.ts';
import { createSampler } from './distribution.ts';
import { eventKinds, type EventQueue } from './event-queue.ts';
import { SimulatedInstance } from './instance.ts';
import type { Settings } from './options.ts';

const backoffMs = 10_000;
const backoffMaxMs = 300_000;

/** What happens to instances and concerns requests or the autoscaler. */
export interface FleetListener {
  /** The set of ready instances has changed; called for every change, before anything else happens. */
  readyChanged(): void;
  /** An instance has broken: what is in it fails. It is not ready any more. */
  broken(instance: SimulatedInstance): void;
}

/** Instances from the wish to the end: pending, starting, ready, draining. Keeps what they cost. */
export class Fleet {
  /** Instances that are wanted: pending, starting, broken or ready. */
  readonly living: SimulatedInstance[] = [];
  ready = 0;
  starting = 0;
  draining = 0;
  busy = 0;
  readonly totals = { started: 0, ended: 0, endedLifeMs: 0, placedMs: 0, readyMs: 0, busyMs: 0, readyMax: 0 };
  readonly #settings: Settings;
  readonly #queue: EventQueue;
  readonly #listener: FleetListener;
  readonly #coldStart: () => number;
  readonly #random: Random;
  readonly #byNumber = new Map<number, SimulatedInstance>();
  #pending: SimulatedInstance[] = [];
  #numbers = 0;
  #integratedMs = 0;

  constructor(settings: Settings, queue: EventQueue, listener: FleetListener) {
    this.#settings = settings;
    this.#queue = queue;
    this.#listener = listener;
    this.#coldStart = createSampler(settings.coldStart, createRandom(settings.seed + 0x10_0003));
    this.#random = createRandom(settings.seed + 0x20_0003);
  }

  /** Instances that take a place on the machine. */
  get placed(): number {
    return this.starting + this.ready + this.draining;
  }

  get pending(): number {
    return this.#pending.length;
  }

  of(number: number): SimulatedInstance | undefined {
    return this.#byNumber.get(number);
  }

  /** Adds up what has passed since the last change. Call before any change of a count. */
  integrate(nowMs: number): void {
    const passedMs = nowMs - this.#integratedMs;
    if (passedMs <= 0) return;
    const { totals } = this;
    totals.placedMs += passedMs * this.placed;
    totals.readyMs += passedMs * this.ready;
    totals.busyMs += passedMs * this.busy;
    this.#integratedMs = nowMs;
  }

  /** Instances that are ready from the first moment on. */
  startReady(count: number): void {
    for (let index = 0; index < count; index++) this.#becomeReady(this.#place(this.#create(0), 0), 0);
  }

  scaleTo(wanted: number, nowMs: number): void {
    if (this.living.length < wanted) {
      while (this.living.length < wanted) this.addOne(nowMs);
    } else if (this.living.length > wanted) {
      for (const instance of this.#surplus(this.living.length - wanted)) this.remove(instance, nowMs);
    }
  }

  addOne(nowMs: number): void {
    this.#start(this.#create(nowMs), nowMs);
  }

  #create(nowMs: number): SimulatedInstance {
    const instance = new SimulatedInstance(this.#numbers++, nowMs);
    this.#byNumber.set(instance.number, instance);
    this.living.push(instance);
    return instance;
  }

  #start(instance: SimulatedInstance, nowMs: number): void {
    if (this.placed >= this.#settings.instancesMax) {
      this.#pending.push(instance);
      return;
    }
    this.#place(instance, nowMs);
    this.#queue.push(nowMs + this.#startTimeMs(), eventKinds.ready, instance.number);
  }

  #place(instance: SimulatedInstance, nowMs: number): SimulatedInstance {
    this.integrate(nowMs);
    instance.state = 'starting';
    instance.placedMs = nowMs;
    this.starting++;
    this.totals.started++;
    return instance;
  }

  #startTimeMs(): number {
    const { share, factor } = this.#settings.slowStarts;
    const ms = this.#coldStart();
    return share > 0 && this.#random() < share ? ms * factor : ms;
  }

  /** The start of an instance is over. */
  started(number: number, nowMs: number): void {
    const instance = this.#byNumber.get(number);
    if (instance === undefined || (instance.state !== 'starting' && instance.state !== 'broken')) return;
    const { startFailure } = this.#settings;
    if (startFailure > 0 && this.#random() < startFailure) {
      instance.state = 'broken';
      const waitMs = Math.min(backoffMaxMs, backoffMs * 2 ** instance.startsFailed++);
      this.#queue.push(nowMs + waitMs + this.#startTimeMs(), eventKinds.ready, number);
      return;
    }
    this.#becomeReady(instance, nowMs);
  }

  #becomeReady(instance: SimulatedInstance, nowMs: number): void {
    this.integrate(nowMs);
    this.starting--;
    this.ready++;
    if (this.ready > this.totals.readyMax) this.totals.readyMax = this.ready;
    instance.state = 'ready';
    instance.idleSinceMs = nowMs;
    const { crashEveryMs } = this.#settings;
    if (crashEveryMs !== Infinity) {
      this.#queue.push(nowMs - crashEveryMs * Math.log(1 - this.#random()), eventKinds.crash, instance.number);
    }
    this.#listener.readyChanged();
  }

  /** A ready instance breaks and starts again. */
  crash(number: number, nowMs: number): void {
    const instance = this.#byNumber.get(number);
    if (instance?.state !== 'ready') return;
    this.integrate(nowMs);
    this.ready--;
    this.starting++;
    instance.state = 'starting';
    this.#listener.broken(instance);
    this.#queue.push(nowMs + this.#startTimeMs(), eventKinds.ready, number);
  }

  // As Kubernetes ranks them: those that are not ready first, the newest of them first.
  #surplus(count: number): readonly SimulatedInstance[] {
    const rank = ({ state }: SimulatedInstance): number => (state === 'ready' ? 1 : 0);
    const byAge = (a: SimulatedInstance, b: SimulatedInstance): number => b.number - a.number;
    const byIdleness = (a: SimulatedInstance, b: SimulatedInstance): number =>
      Number(b.isIdle) - Number(a.isIdle) || a.idleSinceMs - b.idleSinceMs || byAge(a, b);
    const next = this.#settings.scaleDown === 'newest' ? byAge : byIdleness;
    return this.living.toSorted((a, b) => rank(a) - rank(b) || next(a, b)).slice(0, count);
  }

  /** Takes an instance away: at once when nothing is in it, otherwise it drains. */
  remove(instance: SimulatedInstance, nowMs: number): void {
    this.integrate(nowMs);
    this.living.splice(this.living.indexOf(instance), 1);
    if (instance.state === 'pending') {
      this.#pending = this.#pending.filter((other) => other !== instance);
      this.#byNumber.delete(instance.number);
      instance.state = 'gone';
      return;
    }
    if (instance.state === 'ready') {
      this.ready--;
      this.draining++;
      instance.state = 'draining';
      this.#listener.readyChanged();
      if (instance.isIdle) this.drained(instance, nowMs);
      return;
    }
    this.starting--;
    this.#end(instance, nowMs);
  }

  /** The last request has left an instance that drains. */
  drained(instance: SimulatedInstance, nowMs: number): void {
    this.integrate(nowMs);
    this.draining--;
    this.#end(instance, nowMs);
  }

  #end(instance: SimulatedInstance, nowMs: number): void {
    instance.state = 'gone';
    this.#byNumber.delete(instance.number);
    this.totals.ended++;
    this.totals.endedLifeMs += nowMs - instance.placedMs;
    const next = this.#pending.shift();
    if (next !== undefined) this.#start(next, nowMs);
  }
}
