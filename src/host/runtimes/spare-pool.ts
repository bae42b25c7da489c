import type { Clock } from '../../clock.ts';

/** Keeps a few of something that takes long to make. */
export interface SparePool<T> extends Disposable {
  /** A spare, else a new one. Spares are made up for a moment later, so that the start under way has the machine for itself. */
  take(): T;
  fill(): void;
  readonly size: number;
  close(): void;
}

export interface SparePoolOptions<T> {
  readonly size: number;
  readonly clock: Clock;
  readonly make: () => T;
  /** Does for a spare what one that is taken at once has no time for. */
  readonly prepare?: (item: T) => void;
  readonly discard: (item: T) => void;
  /** Calls `broken` when a spare ends by itself; it is dropped then. */
  readonly onBroken: (item: T, broken: () => void) => void;
}

const refillDelayMs = 50;
const brokenMax = 3;

export function createSparePool<T>(options: SparePoolOptions<T>): SparePool<T> {
  const { size, clock, make, discard, onBroken } = options;
  const spares: T[] = [];
  let timer: Disposable | undefined;
  let closed = false;
  let broken = 0;

  function fill(): void {
    timer = undefined;
    // Spares that end by themselves again and again are given up; `take` then makes each anew and shows its error.
    while (!closed && spares.length < size && broken < brokenMax) {
      const item = make();
      spares.push(item);
      options.prepare?.(item);
      onBroken(item, () => {
        const index = spares.indexOf(item);
        if (index < 0) return;
        spares.splice(index, 1);
        broken++;
      });
    }
  }

  const close = (): void => {
    closed = true;
    timer?.[Symbol.dispose]();
    for (const item of spares.splice(0)) discard(item);
  };
  return {
    take() {
      const spare = spares.shift();
      if (!closed) timer ??= clock.setTimer(refillDelayMs, fill);
      if (spare === undefined) return make();
      broken = 0;
      return spare;
    },
    fill,
    get size() {
      return spares.length;
    },
    close,
    [Symbol.dispose]: close,
  };
}
