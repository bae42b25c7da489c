/** Waits between restarts as a kubelet makes them: none before the first, then `initialMs` doubling up to `maxMs`; forgotten after a run of twice `maxMs`. */
export interface RestartBackoff {
  /** Milliseconds to wait before the next start of a container whose run lasted `ranMs`. */
  next(ranMs: number): number;
}

export interface RestartBackoffOptions {
  /** Default 10,000. */
  readonly initialMs?: number;
  /** Default 300,000. */
  readonly maxMs?: number;
}

export function createRestartBackoff(options: RestartBackoffOptions = {}): RestartBackoff {
  const { initialMs = 10_000, maxMs = 300_000 } = options;
  let waitMs = 0;
  let nextMs = initialMs;
  return {
    next(ranMs) {
      if (ranMs > 2 * maxMs) {
        waitMs = 0;
        nextMs = initialMs;
      }
      const answer = waitMs;
      waitMs = nextMs;
      nextMs = Math.min(nextMs * 2, maxMs);
      return answer;
    },
  };
}
