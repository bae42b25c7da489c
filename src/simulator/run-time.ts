import { durationMs, type Duration } from '../duration.ts';

/** A moment of a run: a duration from the start, an ISO 8601 time, or a time of day (`'12:03'`, UTC, the first one after the start). */
export type RunTime = Duration;

const dayMs = 86_400_000;

/** Milliseconds from the start. */
export function runTimeMs(time: RunTime, startMs: number): number {
  if (typeof time === 'number') return durationMs(time, 'time');
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time);
  if (clock !== null) {
    const ofDayMs = (Number(clock[1]) * 3_600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)) * 1_000;
    return (((ofDayMs - (startMs % dayMs)) % dayMs) + dayMs) % dayMs;
  }
  if (/^\d{4}-\d{2}-\d{2}/.test(time)) {
    const wallMs = Date.parse(time);
    if (Number.isFinite(wallMs)) return wallMs - startMs;
  }
  return durationMs(time, 'time');
}
