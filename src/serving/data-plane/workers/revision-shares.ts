import type { RevisionSettings } from '../revision.ts';
import { assignShares } from './assignment.ts';
import type { AddressedInstance, Share } from './messages.ts';

/** How shares reach workers. */
export interface ShareChannel {
  /** The workers that run now, in a lasting order. */
  living(): readonly number[];
  /** Resolves when the worker knows, or is gone. */
  give(worker: number, share: Share, settings: RevisionSettings): Promise<void>;
  /** Resolves when the worker has no more requests in the instance, or is gone. */
  release(worker: number, instance: string): Promise<void>;
  addressOf(worker: number): string;
}

type Shares = ReadonlyMap<string, ReadonlyMap<number, number>>;

/**
 * Who of the workers may have how many requests in each instance of one revision. What a worker has is taken back, and its requests
 * there have ended, before somebody else gets it: the hard limit holds at every moment. A worker that is gone has nothing.
 */
export class RevisionShares {
  readonly #channel: ShareChannel;
  #instances: readonly AddressedInstance[] = [];
  #settings: RevisionSettings = {};
  #through: string | undefined;
  /** What each worker holds now: instance to share. */
  readonly #held = new Map<number, Map<string, number>>();
  readonly #releasing = new Map<string, Promise<void>>();
  readonly #drained = new Set<string>();

  constructor(channel: ShareChannel) {
    this.#channel = channel;
  }

  /** `through`: the address of a process that has the instances itself. Resolves when all workers know. */
  set(instances: readonly AddressedInstance[], settings: RevisionSettings, through?: string): Promise<void> {
    this.#instances = instances;
    this.#settings = settings;
    this.#through = through;
    const known = new Set(instances.map(({ id }) => id));
    for (const id of this.#drained) if (!known.has(id)) this.#drained.delete(id);
    return this.#apply();
  }

  /** Divides anew: a worker has come. */
  joined(): void {
    void this.#apply();
  }

  /** Divides among those that are left: the worker has ended, and its connections to instances with it. */
  lost(worker: number): void {
    this.#held.delete(worker);
    void this.#apply();
  }

  isDraining(instance: string): boolean {
    return this.#drained.has(instance);
  }

  async drain(instance: string): Promise<void> {
    this.#drained.add(instance);
    void this.#apply();
    const releases = [...this.#releasing].filter(([key]) => key.endsWith(` ${instance}`)).map(([, release]) => release);
    await Promise.all(releases);
  }

  async #apply(): Promise<void> {
    const due = this.#instances.filter(({ id }) => !this.#drained.has(id));
    const living = this.#channel.living();
    const shares = this.#divide(due, living);
    this.#takeBack(shares);
    await Promise.all(living.map((worker) => this.#give(worker, due, shares, living)));
  }

  #divide(due: readonly AddressedInstance[], living: readonly number[]): Shares {
    const { containerConcurrency = 0, sessionAffinity = false } = this.#settings;
    const ids = due.map(({ id }) => id);
    const shares = new Map<string, Map<number, number>>();
    // A client's favourite has to be found whichever worker it comes to: one of them has all, the others pass on.
    const sharing = sessionAffinity && containerConcurrency > 0 ? Math.min(1, living.length) : living.length;
    for (const [id, byPosition] of assignShares(ids, sharing, containerConcurrency)) {
      const byWorker = new Map<number, number>();
      for (const [position, share] of byPosition) byWorker.set(living[position] ?? position, share);
      shares.set(id, byWorker);
    }
    return shares;
  }

  /** Takes from workers what they hold beyond their due. */
  #takeBack(shares: Shares): void {
    for (const [worker, held] of this.#held) {
      for (const [id, share] of held) {
        if (shares.get(id)?.get(worker) === share) continue;
        held.delete(id);
        const key = `${worker} ${id}`;
        const released = this.#channel.release(worker, id).then(() => {
          if (this.#releasing.get(key) !== released) return;
          this.#releasing.delete(key);
          void this.#apply();
        });
        this.#releasing.set(key, released);
      }
    }
  }

  #give(worker: number, due: readonly AddressedInstance[], shares: Shares, living: readonly number[]): Promise<void> {
    if (this.#through !== undefined)
      return this.#channel.give(worker, { instances: [], containerConcurrency: 0, through: this.#through }, this.#settings);
    const { containerConcurrency = 0 } = this.#settings;
    let held = this.#held.get(worker);
    if (held === undefined) this.#held.set(worker, (held = new Map()));
    const mine: AddressedInstance[] = [];
    for (const instance of due) {
      const share = shares.get(instance.id)?.get(worker);
      if (share === undefined || this.#isReleasing(instance.id)) continue;
      held.set(instance.id, share);
      mine.push(instance);
    }
    // All of a worker's instances have the same share: either whole ones, or its part of a single one.
    const limit = mine[0] === undefined ? containerConcurrency : (held.get(mine[0].id) ?? containerConcurrency);
    // Only who has no share at all passes on: two that wait for theirs must not send requests to and fro.
    const entitled = due.some(({ id }) => shares.get(id)?.has(worker) === true);
    const through = entitled ? undefined : neighbourOf(living.indexOf(worker), due, shares);
    return this.#channel.give(
      worker,
      {
        instances: mine,
        containerConcurrency: limit,
        ...(through === undefined ? {} : { through: this.#channel.addressOf(through) }),
      },
      this.#settings,
    );
  }

  #isReleasing(id: string): boolean {
    if (this.#releasing.size === 0) return false;
    for (const worker of this.#held.keys()) if (this.#releasing.has(`${worker} ${id}`)) return true;
    return false;
  }
}

/** The worker that has the instance which the one at `position`, without a share, would have a part of. */
function neighbourOf(position: number, due: readonly AddressedInstance[], shares: Shares): number | undefined {
  if (due.length === 0) return undefined;
  const ids = due.map(({ id }) => id).sort();
  const [owner] = shares.get(ids[position % ids.length] ?? '')?.keys() ?? [];
  return owner;
}
