/**
 * Counts work under way that a virtual clock cannot see: module imports, file commits, real I/O. The test host waits until it is
 * zero before it fires the next timer. Work that waits for a timer of the clock is not counted.
 */
export interface Activity {
  /** Counts one piece of work until the returned function is called (further calls do nothing). */
  begin(): () => void;
  /** Counts a promise until it settles, and returns it. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Pieces of work under way. */
  readonly count: number;
}

export function createActivity(): Activity {
  let count = 0;
  const begin = (): (() => void) => {
    count++;
    let open = true;
    return () => {
      if (open) {
        open = false;
        count--;
      }
    };
  };
  return {
    begin,
    track(work) {
      const end = begin();
      work.then(end, end);
      return work;
    },
    get count() {
      return count;
    },
  };
}

/** Counts nothing: the default outside of virtual time. */
export const noActivity: Activity = { begin: () => () => undefined, track: (work) => work, count: 0 };
