import type { RevisionSettings } from '../revision.ts';
import { assignShares } from './assignment.ts';
import type { AddressedInstance, Share } from './messages.ts';

/** How shares reach workers. */
export interface ShareChannel {
  /** Resolves when the worker knows, or is gone. */
  give(worker: number, share: Share, settings: RevisionSettings): Promise<void>;
  /** Resolves when the worker has no more requests in the instance. */
  release(worker: number, instance: string): Promise<void>;
  addressOf(worker: number): string;
}

/**
 * Who of the workers may have how many requests in each instance of one revision. What a worker has is taken back, and its requests
 * there have ended, before somebody else gets it: the hard limit holds at every moment.
 */
export class RevisionShares {
  readonly #workers: number;
  readonly #channel: ShareChannel;
  #instances: readonly AddressedInstance[] = [];
  #settings: RevisionSettings = {};
  #through: string | undefined;
  /** What each worker holds now: instance to share. */
  readonly #held: Map<string, number>[];
  readonly #releasing = new Map<string, Promise<void>>();
  readonly #drained = new Set<string>();

  constructor(workers: number, channel: ShareChannel) {
    this.#workers = workers;
    this.#channel = channel;
    this.#held = Array.from({ length: workers }, () => new Map<string, number>());
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

  /** Gives all that is due once more: a worker has been replaced. */
  renew(): void {
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
    const { containerConcurrency = 0 } = this.#settings;
    const due = this.#instances.filter(({ id }) => !this.#drained.has(id));
    const shares = assignShares(
      due.map(({ id }) => id),
      this.#workers,
      containerConcurrency,
    );
    this.#takeBack(shares);
    const known: Promise<void>[] = [];
    for (let worker = 0; worker < this.#workers; worker++) {
      if (this.#through === undefined) known.push(this.#give(worker, due, shares, containerConcurrency));
      else
        known.push(
          this.#channel.give(worker, { instances: [], containerConcurrency: 0, through: this.#through }, this.#settings),
        );
    }
    await Promise.all(known);
  }

  /** Takes from workers what they hold beyond their due. */
  #takeBack(shares: ReadonlyMap<string, ReadonlyMap<number, number>>): void {
    this.#held.forEach((held, worker) => {
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
    });
  }

  #give(
    worker: number,
    due: readonly AddressedInstance[],
    shares: ReadonlyMap<string, ReadonlyMap<number, number>>,
    containerConcurrency: number,
  ): Promise<void> {
    const held = this.#held[worker];
    if (held === undefined) return Promise.resolve();
    const mine = due.filter(({ id }) => {
      const share = shares.get(id)?.get(worker);
      if (share === undefined || this.#isReleasing(id)) return false;
      held.set(id, share);
      return true;
    });
    // All of a worker's instances have the same share: either whole ones, or its part of a single one.
    const limit = mine[0] === undefined ? containerConcurrency : (held.get(mine[0].id) ?? containerConcurrency);
    // Only who has no share at all passes on: two that wait for theirs must not send requests to and fro.
    const entitled = due.some(({ id }) => shares.get(id)?.has(worker) === true);
    const through = entitled ? undefined : this.#neighbour(worker, due, shares);
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
    for (let worker = 0; worker < this.#workers; worker++) if (this.#releasing.has(`${worker} ${id}`)) return true;
    return false;
  }

  /** The worker that has the instance which this one would share. */
  #neighbour(
    worker: number,
    due: readonly AddressedInstance[],
    shares: ReadonlyMap<string, ReadonlyMap<number, number>>,
  ): number | undefined {
    if (due.length === 0) return undefined;
    const ids = due.map(({ id }) => id).sort();
    const owners = [...(shares.get(ids[worker % ids.length] ?? '')?.keys() ?? [])].filter((owner) => owner !== worker);
    return owners[0];
  }
}
