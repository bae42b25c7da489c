import type { Clock } from '../../clock.ts';

const everyMs = 5_000;

/** Calls `retain` every five seconds, one call after the other, until disposed; a failed call is told and tried again next time. */
export function startRetention(clock: Clock, retain: () => Promise<void>, onFailed: (error: unknown) => void): Disposable {
  let stopped = false;
  let timer: Disposable;
  const wait = (): Disposable =>
    clock.setTimer(everyMs, () => {
      void retain()
        .catch((error: unknown) => {
          // What was under way when the log was closed may fail: nobody needs to know.
          if (!stopped) onFailed(error);
        })
        .finally(() => {
          if (!stopped) timer = wait();
        });
    });
  timer = wait();
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer[Symbol.dispose]();
    },
  };
}
