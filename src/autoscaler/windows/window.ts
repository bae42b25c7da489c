import { KnativeError } from '../../errors.ts';

/** How a window turns its buckets into one number. */
export type Aggregation = 'linear' | 'weighted-exponential' | 'maximum';

/**
 * Values of the last `windowMs`, added up per bucket (1 s). Times may repeat and may be late; values may be negative.
 * NaN, infinite and out-of-range values and times throw `AUTOSCALER_INVALID_SAMPLE` and change nothing.
 */
export interface Window {
  readonly windowMs: number;
  record(nowMs: number, value: number): void;
  /** The same for a value that is known to be in range: what the collector calls after its own check. */
  add(nowMs: number, value: number): void;
  /** The aggregate as of `nowMs`; 0 when nothing is left of the data. */
  average(nowMs: number): number;
  /** True when the last record is more than a window old. At exactly that age the average is 0 but still counts as data. */
  isEmpty(nowMs: number): boolean;
  /** Changes the length and keeps the newest data. `nowMs` is the wall clock, which decides whether there is any to keep. */
  resize(nowMs: number, windowMs: number): void;
}

/** A number of buckets that stands for "since ever": more than any window has. */
export const forever = 2 ** 30;

/** Largest magnitude of a sample and of a time in milliseconds. */
export const sampleMax = Number.MAX_SAFE_INTEGER;

/** Throws `AUTOSCALER_INVALID_SAMPLE` unless the value is in range. */
export function checkValue(nowMs: number, value: number): void {
  if (!(value <= sampleMax && value >= -sampleMax)) refuseSample(nowMs, value);
}

/** Throws `AUTOSCALER_INVALID_SAMPLE` unless the time is in range. */
export function checkTime(nowMs: number): void {
  if (!(nowMs >= 0 && nowMs <= sampleMax)) refuseSample(nowMs, 0);
}

/**
 * Whole buckets from the one that starts at `startMs` to the one of `nowMs`; negative when that is before. Almost always 0 or 1,
 * for which no division is needed.
 */
export function bucketsSince(startMs: number, nowMs: number, bucketMs: number): number {
  const distanceMs = nowMs - startMs;
  if (distanceMs >= 0) {
    if (distanceMs < bucketMs) return 0;
    if (distanceMs < bucketMs + bucketMs) return 1;
  }
  return Math.floor(distanceMs / bucketMs);
}

export function refuseSample(nowMs: number, value: number): never {
  const timeIsWrong = !(nowMs >= 0 && nowMs <= sampleMax);
  throw new KnativeError(
    'AUTOSCALER_INVALID_SAMPLE',
    timeIsWrong ? `a sample's time must be in [0, 2^53), got ${nowMs}` : `a sample must be a number within ±2^53, got ${value}`,
    { path: timeIsWrong ? 'nowMs' : 'value', hint: 'drop the sample: NaN or infinity would stay in every average of the window' },
  );
}

/** Number of buckets that cover a window. */
export function bucketsOf(windowMs: number, bucketMs: number): number {
  if (!(windowMs > 0 && windowMs <= 86_400_000) || !(bucketMs > 0 && bucketMs % 1_000 === 0)) {
    throw new KnativeError(
      'AUTOSCALER_INVALID_WINDOW',
      `a window of ${windowMs} ms in buckets of ${bucketMs} ms is not possible`,
      { path: 'windowMs', hint: 'windows last up to a day, buckets whole seconds' },
    );
  }
  return Math.ceil(windowMs / bucketMs);
}
