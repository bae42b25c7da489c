import { sleep, type Clock } from '../../../clock.ts';

/** Resolves when the work is done, or after `ms`: a process that does not answer must not stop its owner. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal).catch(() => undefined)]);
  done.abort();
}
