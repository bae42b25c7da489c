/**
 * Every bound of the package that is not an option's own default, by name. Exceeding one is a typed error or the documented
 * status, never a crash.
 */
export const limits = {
  /** Request and response heads, bytes (Node's own default is 16 KiB, upstream's Go servers take 1 MiB). */
  headBytesMax: 64 * 1024,
  /** Bodies that are read whole (events, function calls with parsed bodies), bytes. */
  bodyBytesMax: 10 * 1024 * 1024,
  /** One manifest file, bytes. */
  manifestBytesMax: 10 * 1024 * 1024,
  /** Documents in one manifest file. */
  manifestDocumentsMax: 10_000,
  /** Changes that the resource store keeps for watchers that resume. */
  watchHistoryMax: 10_000,
  /** Changes waiting for one slow watcher before it is dropped with `expired`. */
  watcherQueueMax: 10_000,
  /** Reconcile attempts in a row that fail before the wait stops growing. */
  reconcileBackoffMaxMs: 1_000_000,
} as const;
