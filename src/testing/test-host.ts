import { createActivity } from '../activity.ts';
import { createVirtualClock, type VirtualClock } from '../clock.ts';
import { durationMs, type Duration } from '../duration.ts';
import { KnativeError } from '../errors.ts';
import { createHost, type Host, type HostOptions, type Images } from '../host/index.ts';
import { createRandom } from '../random.ts';
import { advance, settle } from './virtual-time.ts';

export interface TestHostOptions extends Omit<HostOptions, 'clock' | 'random' | 'transport' | 'activity'> {
  /** Seed of everything random; default 1. */
  readonly seed?: number;
  /** Start of time; default 2023-11-14T22:13:20Z. */
  readonly startMs?: number;
}

/** A host on virtual time: no sockets, no files, no processes; functions run in process. */
export interface TestHost extends Host {
  readonly clock: VirtualClock;
  /** Lets `duration` pass: every timer fires in order, and everything it causes happens before the next one. */
  advance(duration: Duration): Promise<void>;
  /** Lets time pass until `work` settles, at most `limit` (default 10 min); throws HOST_TIMEOUT after that. */
  run<T>(work: Promise<T>, limit?: Duration): Promise<T>;
  /** Lets time pass until the condition holds, looking after every timer; at most `limit` (default 10 min). */
  until(condition: () => boolean | Promise<boolean>, limit?: Duration): Promise<void>;
  /** Waits until everything that can happen now has happened. */
  settle(): Promise<void>;
}

/** Starts a host for tests. Function modules of `images` run in this process whatever isolation they ask for. */
export async function createTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const { seed = 1, startMs, images = {}, ...rest } = options;
  const clock = createVirtualClock(startMs);
  const activity = createActivity();
  const host = await createHost({
    ...rest,
    images: inProcess(images),
    clock,
    random: createRandom(seed),
    transport: 'memory',
    activity,
  });

  async function run<T>(work: Promise<T>, limit: Duration = '10m'): Promise<T> {
    let settled = false;
    const done = (): void => void (settled = true);
    work.then(done, done);
    await until(() => settled, limit);
    return work;
  }

  async function until(condition: () => boolean | Promise<boolean>, limit: Duration = '10m'): Promise<void> {
    const limitMs = clock.now() + durationMs(limit, 'limit');
    for (;;) {
      await settle(activity);
      if (await condition()) return;
      if (!clock.runNext(limitMs)) break;
    }
    throw new KnativeError('HOST_TIMEOUT', `not within ${String(limit)} of virtual time`);
  }

  return {
    ...host,
    // Spreading loses getters, of which a host has none; methods do not use `this`.
    clock,
    advance: (duration) => advance(clock, activity, duration),
    run,
    until,
    settle: () => settle(activity),
    async close(graceMs) {
      await run(host.close(graceMs));
    },
    [Symbol.asyncDispose]: () => run(host.close()),
  };
}

function inProcess(images: Images): Images {
  return Object.fromEntries(
    Object.entries(images).map(([reference, program]) => {
      if (typeof program === 'string') return [reference, { function: program, isolation: 'in-process' as const }];
      if (typeof program === 'object' && 'function' in program && !('handle' in program))
        return [reference, { ...program, isolation: 'in-process' as const }];
      return [reference, program];
    }),
  );
}
