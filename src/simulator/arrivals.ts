import type { Random } from '../random.ts';
import type { Load } from './load.ts';

/** The times of requests, one after the other. */
export interface Arrivals {
  /** Time of the next request, ms from the start, never before the last one; Infinity when there is none. */
  next(): number;
}

/** A rate and how long it holds. */
interface Segment {
  readonly perMs: number;
  readonly untilMs: number;
}

/** What makes the requests of a load. `startMs` is the wall clock at the start; `randomFor` gives each Poisson part its own numbers. */
export function createArrivals(of: Load, startMs: number, randomFor: () => Random): Arrivals {
  switch (of.kind) {
    case 'sum':
      return new MergedArrivals(of.loads.map((part) => createArrivals(part, startMs, randomFor)));
    case 'arrivals':
      return new ListedArrivals(of.timesMs);
    case 'poisson':
      return poisson(of.load, startMs, randomFor);
    default:
      return new PacedArrivals(segmentsOf(of, startMs), undefined);
  }
}

function poisson(of: Load, startMs: number, randomFor: () => Random): Arrivals {
  switch (of.kind) {
    case 'sum':
      return new MergedArrivals(of.loads.map((part) => poisson(part, startMs, randomFor)));
    case 'poisson':
      return poisson(of.load, startMs, randomFor);
    case 'arrivals':
      return new ListedArrivals(of.timesMs);
    default:
      return new PacedArrivals(segmentsOf(of, startMs), randomFor());
  }
}

const gapMin = 1e-9;

/** Arrivals at a rate that is constant in pieces: the accumulated rate reaches the next gap, of 1 or of random length. */
class PacedArrivals implements Arrivals {
  readonly #segments: (atMs: number) => Segment;
  readonly #random: Random | undefined;
  #nowMs = 0;
  #perMs: number;
  #untilMs: number;

  constructor(segments: (atMs: number) => Segment, random: Random | undefined) {
    this.#segments = segments;
    this.#random = random;
    ({ perMs: this.#perMs, untilMs: this.#untilMs } = segments(0));
  }

  next(): number {
    const random = this.#random;
    let gap = random === undefined ? 1 : -Math.log(1 - random());
    for (;;) {
      const atMs = this.#nowMs + gap / this.#perMs;
      if (atMs < this.#untilMs) {
        this.#nowMs = atMs;
        return atMs;
      }
      if (this.#untilMs === Infinity) return Infinity;
      gap -= (this.#untilMs - this.#nowMs) * this.#perMs;
      this.#nowMs = this.#untilMs;
      ({ perMs: this.#perMs, untilMs: this.#untilMs } = this.#segments(this.#nowMs));
      // A request due exactly where the rate changes: rounding must not put it off to the next stretch.
      if (gap < gapMin) return this.#nowMs;
    }
  }
}

class ListedArrivals implements Arrivals {
  readonly #timesMs: readonly number[];
  #index = 0;

  constructor(timesMs: readonly number[]) {
    this.#timesMs = timesMs;
  }

  next(): number {
    return this.#timesMs[this.#index++] ?? Infinity;
  }
}

class MergedArrivals implements Arrivals {
  readonly #parts: readonly Arrivals[];
  readonly #next: number[];

  constructor(parts: readonly Arrivals[]) {
    this.#parts = parts;
    this.#next = parts.map((part) => part.next());
  }

  next(): number {
    let first = 0;
    for (let index = 1; index < this.#next.length; index++) {
      if ((this.#next[index] ?? Infinity) < (this.#next[first] ?? Infinity)) first = index;
    }
    const atMs = this.#next[first] ?? Infinity;
    this.#next[first] = this.#parts[first]?.next() ?? Infinity;
    return atMs;
  }
}

type Paced = Exclude<Load, { kind: 'sum' | 'poisson' | 'arrivals' }>;

/** Loads that change all the time are taken in steps of this length, at the rate in the middle of each. */
const smoothStepMs = 1_000;
const dayStepMs = 60_000;

function segmentsOf(of: Paced, startMs: number): (atMs: number) => Segment {
  switch (of.kind) {
    case 'constant':
      return () => ({ perMs: of.requestsPerSecond / 1000, untilMs: Infinity });
    case 'step':
      return (atMs) => stepAt(of, atMs);
    case 'ramp':
      return (atMs) => rampAt(of, atMs);
    case 'sine':
      return smooth(smoothStepMs, (atMs) => of.mean + of.amplitude * Math.sin((2 * Math.PI * atMs) / of.periodMs));
    case 'bursts':
      return (atMs) => burstAt(of, atMs);
    case 'days':
      return smooth(dayStepMs, (atMs) => dayRate(of, startMs + atMs));
    case 'trace':
      return traceSegments(of);
  }
}

function smooth(stepMs: number, rateAt: (atMs: number) => number): (atMs: number) => Segment {
  return (atMs) => {
    const untilMs = (Math.floor(atMs / stepMs) + 1) * stepMs;
    return { perMs: Math.max(0, rateAt(untilMs - stepMs / 2)) / 1000, untilMs };
  };
}

function stepAt(of: Extract<Load, { kind: 'step' }>, atMs: number): Segment {
  const before = of.before / 1000;
  if (atMs < of.atMs) return { perMs: before, untilMs: of.atMs };
  const untilMs = of.untilMs ?? Infinity;
  return atMs < untilMs ? { perMs: of.requestsPerSecond / 1000, untilMs } : { perMs: before, untilMs: Infinity };
}

function rampAt(of: Extract<Load, { kind: 'ramp' }>, atMs: number): Segment {
  if (atMs < of.startMs) return { perMs: of.from / 1000, untilMs: of.startMs };
  if (atMs >= of.endMs) return { perMs: of.to / 1000, untilMs: Infinity };
  const untilMs = Math.min(of.endMs, atMs + smoothStepMs);
  const share = ((atMs + untilMs) / 2 - of.startMs) / (of.endMs - of.startMs);
  return { perMs: (of.from + (of.to - of.from) * share) / 1000, untilMs };
}

function burstAt(of: Extract<Load, { kind: 'bursts' }>, atMs: number): Segment {
  const between = of.between / 1000;
  if (atMs < of.firstMs) return { perMs: between, untilMs: of.firstMs };
  const beganMs = of.firstMs + Math.floor((atMs - of.firstMs) / of.everyMs) * of.everyMs;
  const endMs = beganMs + of.lengthMs;
  return atMs < endMs
    ? { perMs: of.requestsPerSecond / 1000, untilMs: endMs }
    : { perMs: between, untilMs: beganMs + of.everyMs };
}

function dayRate(of: Extract<Load, { kind: 'days' }>, wallMs: number): number {
  const local = new Date(wallMs + of.utcOffsetHours * 3_600_000);
  const hour = local.getUTCHours() + local.getUTCMinutes() / 60;
  const wave = 0.5 + 0.5 * Math.cos((2 * Math.PI * (hour - of.peakHour)) / 24);
  const day = local.getUTCDay();
  return (of.low + (of.high - of.low) * wave) * (day === 0 || day === 6 ? of.weekendFactor : 1);
}

function traceSegments(of: Extract<Load, { kind: 'trace' }>): (atMs: number) => Segment {
  // Asked in order of time: the place in the list only moves forward.
  let index = -1;
  return (atMs) => {
    while ((of.timesMs[index + 1] ?? Infinity) <= atMs) index++;
    if (atMs >= of.endMs) return { perMs: 0, untilMs: Infinity };
    return { perMs: (of.requestsPerSecond[index] ?? 0) / 1000, untilMs: of.timesMs[index + 1] ?? of.endMs };
  };
}
