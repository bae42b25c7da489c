import { durationMs, type Duration } from '../duration.ts';
import { KnativeError } from '../errors.ts';

/** An option that cannot be. */
export function optionFault(path: string, problem: string, hint?: string): KnativeError {
  return new KnativeError('SIMULATOR_INVALID_OPTION', `${path} ${problem}`, { path, ...(hint === undefined ? {} : { hint }) });
}

/** The number if it lies in [min, max]. */
export function numberIn(value: number, path: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw optionFault(
    path,
    `must be a number from ${min}${max === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${max}`}, got ${String(value)}`,
  );
}

/** The number if it is whole and lies in [min, max]. */
export function wholeIn(value: number, path: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value)) return numberIn(value, path, min, max);
  throw optionFault(path, `must be a whole number, got ${String(value)}`);
}

/** Milliseconds of a duration of at least `minMs`. */
export function durationFrom(value: Duration, path: string, minMs: number): number {
  const ms = durationMs(value, path);
  if (ms >= minMs) return ms;
  throw optionFault(path, `must be at least ${minMs} ms, got ${ms} ms`);
}
