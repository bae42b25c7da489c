import { createUpstream } from '../../../http/index.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { Activator } from '../activator.ts';
import type { Instance, InstanceTarget, RevisionKey, RevisionSettings } from '../revision.ts';
import type { DataPlaneWorkers } from './data-plane-workers.ts';
import type { AddressedInstance } from './messages.ts';
import { createPasser } from './passing.ts';

export interface SharedActivatorOptions {
  /** The owner's own activator. */
  readonly local: Activator;
  readonly workers: DataPlaneWorkers;
  /** `host:port` where the owner takes requests that workers pass on (`passedRequests`). */
  readonly ownerAddress: string;
}

/** An activator whose instances are shared with workers. */
export interface SharedActivator extends Activator {
  /** Fetches what workers have counted, for the next `report` of each revision. */
  collect(): Promise<void>;
}

const pooled = 'data-plane-workers';

interface Entry {
  instances: readonly Instance[];
  settings: RevisionSettings;
  /** Any of the workers. */
  readonly target: InstanceTarget;
  /** Counts changes: an answer to an older one is no longer of interest. */
  change: number;
}

/**
 * The owner's face of a data plane in several processes. Instances with an address are the workers': what begins in the owner is
 * passed on to one of them, so that the hard limit holds over everything. Instances inside the owner's process are the owner's, and
 * workers pass on to it. Where there is no instance a request waits where it came in.
 */
export function createSharedActivator({ local, workers, ownerAddress }: SharedActivatorOptions): SharedActivator {
  const upstream = createUpstream();
  const passTo = createPasser(upstream);
  const revisions = new Map<RevisionKey, Entry>();
  const holds = new Map<string, { count: number; readonly waiting: (() => void)[] }>();
  const keyOf = (revision: RevisionKey, instance: string): string => `${revision} ${instance}`;
  let reports = new Map<RevisionKey, RequestReport>();

  function entryOf(revision: RevisionKey): Entry {
    let entry = revisions.get(revision);
    if (entry === undefined) {
      entry = { instances: [], settings: {}, target: { handler: passTo(revision, () => workers.addresses()) }, change: 0 };
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
    upstream.close();
  }

  return {
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
      if (own === undefined || others === undefined) return own;
      return {
        averageConcurrentRequests: own.averageConcurrentRequests + others.averageConcurrentRequests,
        averageProxiedConcurrentRequests: own.averageProxiedConcurrentRequests + others.averageProxiedConcurrentRequests,
        requestCount: own.requestCount + others.requestCount,
        proxiedRequestCount: own.proxiedRequestCount + others.proxiedRequestCount,
      };
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
