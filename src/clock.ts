import { KnativeError } from './errors.ts';

/**
 * Where time comes from. Everything that waits or measures takes one of these, so that tests and the simulator run on a
 * virtual clock.
 */
export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch. May jump; not for elapsed time. */
  now(): number;
  /** Milliseconds from an arbitrary start that never go backwards. For elapsed time. */
  monotonic(): number;
  /** Calls `run` once after `delayMs` (0 or more). Disposing before then cancels it. Never keeps a process alive. */
  setTimer(delayMs: number, run: () => void): Disposable;
}

class RealTimer implements Disposable {
  readonly #timer: NodeJS.Timeout;
  constructor(delayMs: number, run: () => void) {
    // Node clamps delays above 2^31-1 ms to 1 ms, which would fire at once; a longer wait is re-armed by its owner.
    this.#timer = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    this.#timer.unref();
  }
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** The machine's clock: the default wherever a `clock` option is left out. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => new RealTimer(delayMs, run),
};

interface VirtualTimer {
  dueMs: number;
  sequence: number;
  run: (() => void) | undefined;
}

/** A clock that moves only when told to. Timers run in order of due time, then of creation. */
export interface VirtualClock extends Clock {
  /** Due time of the next timer, or `undefined` when none is set. */
  nextDueMs(): number | undefined;
  /** Moves to the next timer at or before `limitMs` and runs it; false when there is none (time does not move then). */
  runNext(limitMs: number): boolean;
  /** Runs every timer due up to `now + durationMs`, then stands exactly there. Synchronous; see `testing` for the awaiting form. */
  advanceSync(durationMs: number): void;
  /** Moves the time forward without running timers. Refuses to go back or past a due timer. */
  setNow(nowMs: number): void;
}

/** A virtual clock starting at `startMs` (default 2023-11-14T22:13:20Z, 1.7e12). */
export function createVirtualClock(startMs = 1_700_000_000_000): VirtualClock {
  let nowMs = startMs;
  let sequence = 0;
  // A binary heap ordered by (dueMs, sequence); cancelled timers stay in it with `run` undefined until they surface.
  const heap: VirtualTimer[] = [];
  const before = (a: VirtualTimer, b: VirtualTimer): boolean =>
    a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);

  function push(timer: VirtualTimer): void {
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(timer, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = timer;
  }

  function pop(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && before(right, child)) {
        child = right;
        childIndex++;
      }
      if (!before(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }

  function peek(): VirtualTimer | undefined {
    for (;;) {
      const top = heap[0];
      if (top === undefined || top.run !== undefined) return top;
      pop();
    }
  }

  const clock: VirtualClock = {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    setTimer(delayMs, run) {
      const timer: VirtualTimer = { dueMs: nowMs + Math.max(0, delayMs), sequence: sequence++, run };
      push(timer);
      return {
        [Symbol.dispose]() {
          timer.run = undefined;
        },
      };
    },
    nextDueMs: () => peek()?.dueMs,
    runNext(limitMs) {
      const timer = peek();
      if (timer === undefined || timer.dueMs > limitMs) return false;
      pop();
      nowMs = Math.max(nowMs, timer.dueMs);
      const run = timer.run;
      timer.run = undefined;
      run?.();
      return true;
    },
    advanceSync(durationMs) {
      const limitMs = nowMs + durationMs;
      while (clock.runNext(limitMs));
      nowMs = limitMs;
    },
    setNow(target) {
      const due = clock.nextDueMs();
      if (target < nowMs || (due !== undefined && due < target)) {
        throw new KnativeError(
          'KERNEL_CLOCK_ORDER',
          `cannot set the virtual clock to ${target}: now ${nowMs}, next timer ${due ?? 'none'}`,
        );
      }
      nowMs = target;
    },
  };
  return clock;
}

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer[Symbol.dispose]();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
