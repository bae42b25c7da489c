export interface CapacityInput {
  /** Hard limit of requests per instance; 0 = unlimited. */
  readonly containerConcurrency: number;
  /** Ready instances of the revision behind its private Service. */
  readonly backends: number;
  /** Instances that this activator addresses one by one. */
  readonly assigned: number;
  /** True when requests go to the Service's cluster IP instead. */
  readonly clusterIp: boolean;
  /** Activators that share the revision; 0 when not known yet. */
  readonly activators: number;
}

/** Requests that one activator may have under way at a revision. Unlimited is Infinity. Source: `updateCapacity` of `pkg/activator/net/throttler.go`. */
export function revisionCapacity({ containerConcurrency, backends, assigned, clusterIp, activators }: CapacityInput): number {
  if (clusterIp) {
    if (backends === 0) return 0;
    if (containerConcurrency === 0) return Infinity;
    // Each of several activators keeps at least one request going, even where that overshoots.
    return Math.max(1, Math.floor((containerConcurrency * backends) / Math.max(1, activators)));
  }
  if (assigned === 0) return 0;
  return containerConcurrency === 0 ? Infinity : containerConcurrency * assigned;
}

/**
 * The part of a sorted list of instances that activator number `index` of `count` addresses. Each gets an equal run; what is left
 * over goes one by one to the first activators. With more activators than instances they share. Index -1 (unknown) and unlimited
 * concurrency take all. Source: `assignSlice` of `pkg/activator/net/throttler.go`.
 */
export function assignInstances<T>(
  sorted: readonly T[],
  index: number,
  count: number,
  containerConcurrency: number,
): readonly T[] {
  const total = sorted.length;
  if (index < 0 || count <= 1 || total === 0 || containerConcurrency === 0) return sorted;
  if (count > total) return sorted.slice(index % total, (index % total) + 1);
  const share = Math.floor(total / count);
  const assigned = sorted.slice(index * share, (index + 1) * share);
  const extra = sorted[share * count + index];
  return extra === undefined ? assigned : [...assigned, extra];
}

/** Position of `self` in a sorted list of activator addresses, -1 when it is not there (yet). */
export function activatorIndex(sortedActivators: readonly string[], self: string): number {
  let low = 0;
  let high = sortedActivators.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sortedActivators[middle] ?? '') < self) low = middle + 1;
    else high = middle;
  }
  return sortedActivators[low] === self ? low : -1;
}
