import type { RequestReport } from '../../request-stats.ts';
import { createActivator, type Activator, type ActivatorOptions } from '../activator.ts';
import type { Instance, RevisionKey, RevisionSettings } from '../revision.ts';
import type { AddressedInstance } from './messages.ts';
import { createPassingForwarder, type ProcessTarget } from './passing.ts';
import { addReports } from './worker-reports.ts';
import type { DataPlaneWorkers } from './workers-types.ts';

export interface SharedActivatorOptions {
  /** For the owner's own share of the requests. */
  readonly activator?: Omit<ActivatorOptions, 'forwarder'>;
  readonly workers: DataPlaneWorkers;
  /** `host:port` where the owner takes requests that workers pass on (`passedRequests`). */
  readonly ownerAddress: string;
}

/** An activator whose instances are shared with workers. */
export interface SharedActivator extends Activator {
  /** The activator of the owner's process: what `passedRequests` hands requests to, and for instances that only the owner knows. */
  readonly local: Activator;
  /** Fetches what workers have counted, for the next `report` of each revision. */
  collect(): Promise<void>;
}

const pooled = 'data-plane-workers';

interface Entry {
  instances: readonly Instance[];
  settings: RevisionSettings;
  /** Any of the workers. */
  readonly target: ProcessTarget;
  /** Counts changes: an answer to an older one is no longer of interest. */
  change: number;
}

/**
 * The owner's face of a data plane in several processes. Instances with an address are the workers': what begins in the owner is
 * passed on to one of them, so that the hard limit holds over everything. Instances inside the owner's process are the owner's, and
 * workers pass on to it. Where there is no instance a request waits where it came in.
 */
export function createSharedActivator({ activator = {}, workers, ownerAddress }: SharedActivatorOptions): SharedActivator {
  const forwarder = createPassingForwarder(activator.clock === undefined ? {} : { clock: activator.clock });
  const local = createActivator({ ...activator, forwarder });
  const revisions = new Map<RevisionKey, Entry>();
  const holds = new Map<string, { count: number; readonly waiting: (() => void)[] }>();
  const keyOf = (revision: RevisionKey, instance: string): string => `${revision} ${instance}`;
  let reports = new Map<RevisionKey, RequestReport>();

  function entryOf(revision: RevisionKey): Entry {
    let entry = revisions.get(revision);
    if (entry === undefined) {
      const target: ProcessTarget = { address: pooled, revision, addresses: () => workers.addresses() };
      entry = { instances: [], settings: {}, target, change: 0 };
      revisions.set(revision, entry);
    }
    return entry;
  }

  function setInstances(revision: RevisionKey, instances: readonly Instance[], settings?: RevisionSettings): void {
    const entry = entryOf(revision);
    entry.instances = instances;
    entry.settings = settings ?? entry.settings;
    entry.change++;
    const addressed = instances.filter(isAddressed);
    if (addressed.length > 0 && addressed.length === instances.length) {
      // Requests that are early wait for that.
      if (!local.has(revision)) local.setRevision(revision, entry.settings);
      void share(revision, entry, addressed);
      return;
    }
    local.setInstances(revision, instances, entry.settings);
    if (instances.length === 0) void workers.setInstances(revision, [], entry.settings);
    else void workers.setOwner(revision, ownerAddress, entry.settings);
  }

  /** The workers hear of instances before the owner relies on them. */
  async function share(revision: RevisionKey, entry: Entry, instances: readonly AddressedInstance[]): Promise<void> {
    const { change, settings, target } = entry;
    await workers.setInstances(revision, instances, settings);
    if (entry.change !== change || revisions.get(revision) !== entry) return;
    // Who has the instances keeps their limit and the clients' favourites.
    local.setInstances(revision, [{ id: pooled, target }], { ...settings, containerConcurrency: 0, sessionAffinity: false });
  }

  const held = (revision: RevisionKey, instance: string): Promise<void> | undefined => {
    const hold = holds.get(keyOf(revision, instance));
    return hold === undefined ? undefined : new Promise((resolve) => hold.waiting.push(resolve));
  };

  async function close(): Promise<void> {
    await local.close();
    await workers.close(0);
    await forwarder.close();
  }

  return {
    local,
    setRevision: (revision, settings) => setInstances(revision, entryOf(revision).instances, settings),
    setInstances,
    deleteRevision(revision) {
      revisions.delete(revision);
      local.deleteRevision(revision);
      workers.deleteRevision(revision);
    },
    has: (revision) => local.has(revision),
    handle: (revision, exchange, options) => local.handle(revision, exchange, options),
    load(revision) {
      const own = local.load(revision).filter(({ id }) => id !== pooled);
      return own.length > 0 ? own : workers.load(revision);
    },
    async drain(revision, instance) {
      await Promise.all([local.drain(revision, instance), workers.drain(revision, instance)]);
      await held(revision, instance);
    },
    hold(revision, instance) {
      const key = keyOf(revision, instance);
      const hold = holds.get(key) ?? { count: 0, waiting: [] };
      holds.set(key, hold);
      hold.count++;
      const release = local.hold(revision, instance);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        release();
        if (--hold.count > 0) return;
        holds.delete(key);
        for (const resolve of hold.waiting) resolve();
      };
    },
    count: (revision) => local.count(revision),
    report(revision) {
      const own = local.report(revision);
      const others = reports.get(revision);
      reports.delete(revision);
      return own === undefined || others === undefined ? own : addReports(own, others);
    },
    reports: () => local.reports(),
    async collect() {
      reports = new Map(await workers.reports());
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isAddressed(instance: Instance): instance is AddressedInstance {
  return 'address' in instance.target;
}
