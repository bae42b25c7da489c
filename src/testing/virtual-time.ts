import type { Activity } from '../activity.ts';
import type { VirtualClock } from '../clock.ts';
import { durationMs, type Duration } from '../duration.ts';

/** Macrotask turns without any work before a world counts as idle: a promise chain may hop over a few of them. */
const quietTurns = 3;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until everything that can happen at this instant has happened: no microtask left, no counted work under way. */
export async function settle(activity: Pick<Activity, 'count'>): Promise<void> {
  let quiet = 0;
  while (quiet < quietTurns) {
    await turn();
    quiet = activity.count === 0 ? quiet + 1 : 0;
  }
}

/** Moves a virtual clock forward: fires the next timer, waits for idle, and repeats until `duration` has passed. */
export async function advance(clock: VirtualClock, activity: Pick<Activity, 'count'>, duration: Duration): Promise<void> {
  const untilMs = clock.now() + durationMs(duration, 'duration');
  await settle(activity);
  while (clock.runNext(untilMs)) await settle(activity);
  if (clock.now() < untilMs) clock.setNow(untilMs);
}
