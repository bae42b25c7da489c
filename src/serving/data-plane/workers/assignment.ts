import { assignInstances } from '../capacity.ts';

/** How many requests each worker may have in an instance; workers that are left out have no share of it. */
export type InstanceShares = ReadonlyMap<number, number>;

/**
 * Divides the instances of a revision among workers so that no instance ever has more than containerConcurrency requests, whoever
 * sends them. Unlimited: every worker has all. As many instances as workers or more: each belongs to one worker, in upstream's slices.
 * Fewer: workers share an instance, and its containerConcurrency is split; those that come after the last request get nothing.
 */
export function assignShares(
  instances: readonly string[],
  workers: number,
  containerConcurrency: number,
): Map<string, Map<number, number>> {
  const shares = new Map(instances.map((id) => [id, new Map<number, number>()]));
  const sorted = [...instances].sort();
  const all = Array.from({ length: workers }, (_, worker) => worker);
  if (containerConcurrency === 0) {
    for (const of of shares.values()) for (const worker of all) of.set(worker, 0);
    return shares;
  }
  if (sorted.length >= workers) {
    for (const worker of all) {
      for (const id of assignInstances(sorted, worker, workers, containerConcurrency))
        shares.get(id)?.set(worker, containerConcurrency);
    }
    return shares;
  }
  sorted.forEach((id, index) => {
    const sharing = all.filter((worker) => worker % sorted.length === index);
    sharing.forEach((worker, position) => {
      const least = Math.floor(containerConcurrency / sharing.length);
      const share = least + (position < containerConcurrency % sharing.length ? 1 : 0);
      if (share > 0) shares.get(id)?.set(worker, share);
    });
  });
  return shares;
}
