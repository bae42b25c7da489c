import type { Series } from './series.ts';

/** A stretch in which the number of replicas swings although the load gives no reason. */
export interface Oscillation {
  readonly fromMs: number;
  readonly toMs: number;
  /** Changes of direction of the replicas, and of the load. */
  readonly turns: number;
  readonly loadTurns: number;
  readonly least: number;
  readonly most: number;
  /** The finding in one sentence. */
  readonly sentence: string;
}

/** Swings smaller than this share of the level, or than so many replicas, are no swings. */
const swingShare = 0.2;
const leastSwing = 2;
/** A load is what it was on average over the last minute: faster changes are what an autoscaler smooths away. */
const smoothingMs = 60_000;
/** Turns further apart than this belong to different stretches. */
const gapMs = 600_000;
const turnsMin = 5;

/**
 * The stretches in which replicas change direction at least five times, and at least twice as often as the load does (a policy that
 * follows a wave turns as often as the wave; one that cannot settle turns on its own), and those with a start from zero again and
 * again.
 */
export function findOscillations(series: Series): readonly Oscillation[] {
  return [...findSwings(series), ...findFlapping(series)];
}

function findSwings(series: Series): readonly Oscillation[] {
  const times = series.values('atMs');
  const replicas = series.values('replicas');
  const loadTurns = turningPoints(smoothed(series.values('requestsPerSecond'), times), times, 0);
  return stretchesOf(turningPoints(replicas, times, leastSwing), gapMs)
    .filter((stretch) => stretch.length >= turnsMin)
    .flatMap((stretch) => {
      const fromMs = stretch[0]?.atMs ?? 0;
      const toMs = stretch.at(-1)?.atMs ?? 0;
      const ofLoad = loadTurns.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs).length;
      if (stretch.length < 2 * ofLoad) return [];
      const levels = stretch.map(({ value }) => value);
      const least = Math.min(...levels);
      const most = Math.max(...levels);
      const minutes = Math.max(1, Math.round((toMs - fromMs) / 60_000));
      const sentence =
        `Replicas swing between ${least} and ${most}: ${stretch.length} changes of direction within ${minutes} min ` +
        `from minute ${Math.floor(fromMs / 60_000)} on, while the load changed direction ${ofLoad} times.`;
      return [{ fromMs, toMs, turns: stretch.length, loadTurns: ofLoad, least, most, sentence }];
    });
}

/** Starts from zero closer together than this, several times in a row, cost cold starts and save little. */
const flappingMs = 300_000;

function findFlapping(series: Series): readonly Oscillation[] {
  const times = series.values('atMs');
  const replicas = series.values('replicas');
  const starts: Turn[] = [];
  replicas.forEach((value, index) => {
    if (value > 0 && replicas[index - 1] === 0) starts.push({ atMs: times[index] ?? 0, value });
  });
  return stretchesOf(starts, flappingMs)
    .filter((stretch) => stretch.length >= turnsMin)
    .map((stretch) => {
      const fromMs = stretch[0]?.atMs ?? 0;
      const toMs = stretch.at(-1)?.atMs ?? 0;
      const everyS = Math.round((toMs - fromMs) / (stretch.length - 1) / 1_000);
      const most = Math.max(...stretch.map(({ value }) => value));
      const sentence =
        `Flaps at zero: ${stretch.length} starts from zero, one every ${everyS} s from minute ${Math.floor(fromMs / 60_000)} on. ` +
        'Requests come further apart than an instance is kept.';
      return { fromMs, toMs, turns: 2 * stretch.length, loadTurns: 0, least: 0, most, sentence };
    });
}

interface Turn {
  readonly atMs: number;
  readonly value: number;
}

/** Where a line changes direction, once it has moved away far enough from where it turned. */
function turningPoints(values: Float64Array, times: Float64Array, least: number): readonly Turn[] {
  const turns: Turn[] = [];
  let direction = 0;
  let extreme = values[0] ?? 0;
  let extremeMs = times[0] ?? 0;
  values.forEach((value, index) => {
    const swing = Math.max(least, Math.abs(extreme) * swingShare);
    const moved = value - extreme;
    if (direction !== 0 && moved * direction > 0) {
      extreme = value;
      extremeMs = times[index] ?? 0;
    } else if (Math.abs(moved) >= swing && moved !== 0) {
      if (direction !== 0) turns.push({ atMs: extremeMs, value: extreme });
      direction = Math.sign(moved);
      extreme = value;
      extremeMs = times[index] ?? 0;
    }
  });
  if (turns.length > 0) turns.push({ atMs: extremeMs, value: extreme });
  return turns;
}

function smoothed(values: Float64Array, times: Float64Array): Float64Array {
  const result = new Float64Array(values.length);
  let sum = 0;
  let first = 0;
  values.forEach((value, index) => {
    sum += value;
    while ((times[index] ?? 0) - (times[first] ?? 0) >= smoothingMs) sum -= values[first++] ?? 0;
    result[index] = sum / (index - first + 1);
  });
  return result;
}

function stretchesOf(turns: readonly Turn[], apartMs: number): readonly (readonly Turn[])[] {
  const stretches: Turn[][] = [];
  for (const turn of turns) {
    const current = stretches.at(-1);
    const last = current?.at(-1);
    if (current !== undefined && last !== undefined && turn.atMs - last.atMs <= apartMs) current.push(turn);
    else stretches.push([turn]);
  }
  return stretches;
}
