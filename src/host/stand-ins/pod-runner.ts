import { configMaps } from '../../api/core/config-map.ts';
import { pods, type Pod } from '../../api/core/pod.ts';
import { secrets } from '../../api/core/secret.ts';
import { resourceKey } from '../../api/resource.ts';
import type { Clock } from '../../clock.ts';
import type { MemoryStore } from '../../controller/memory-store.ts';
import { isStaleRead } from '../../controller/plan.ts';
import type { WatchEvent } from '../../controller/resource-store.ts';
import { messageOf } from '../../errors.ts';
import { jsonEqual } from '../../json.ts';
import type { Logger } from '../../logger.ts';
import type { Instance, Runtime, VolumeSpec } from '../runtimes/runtime.ts';
import { graceMs, makeInstanceSpec, volumeSpecs } from './instance-spec.ts';
import { MissingReference } from './pod-environment.ts';
import { addressAnnotation, instanceFinalizer, isTerminating } from './pod-state.ts';
import { blockedPodStatus, podStatus } from './pod-status.ts';

export interface PodRunnerOptions {
  readonly store: MemoryStore;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The image as the runtime knows it, for one that a Pod names by digest. */
  readonly imageOf: (image: string) => string;
  /** Called when a pod begins to end, before its instance is stopped: resolves when no request is in it any more, or never later than `graceMs`. */
  readonly drain: (pod: Pod, graceMs: number) => Promise<void>;
  /** Called after every change of a pod's instance or of the pod itself. */
  readonly onChange: (pod: Pod, instance: Instance | undefined) => void;
  /** Asked before a status is written: a promise while something else has precedence. Default: nothing has. */
  readonly pause?: () => Promise<void> | undefined;
}

interface Entry {
  pod: Pod;
  instance: Instance | undefined;
  /** What the pod waits for before an instance can be made. */
  blocked: string | undefined;
  /** What its instance has in its volumes. */
  volumes: readonly VolumeSpec[];
  dirty: boolean;
  ending: boolean;
}

/** Runs Pods as instances of a runtime and reports their status: what a kubelet does on a cluster. */
export class PodRunner {
  readonly #options: PodRunnerOptions;
  readonly #entries = new Map<string, Entry>();
  #subscription: Disposable | undefined;
  #closed = false;

  constructor(options: PodRunnerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#subscription = this.#options.store.watch({}, (event) => this.#onEvent(event));
    for (const pod of this.#options.store.view.list(pods)) this.#onPod(pod, false);
  }

  /** The instance of a Pod, while there is one. */
  instanceOf(uid: string | undefined): Instance | undefined {
    return this.#entries.get(uid ?? '')?.instance;
  }

  /** Stops watching. The instances are the runtime's to stop. */
  close(): void {
    this.#closed = true;
    this.#subscription?.[Symbol.dispose]();
  }

  #onEvent(event: WatchEvent): void {
    if (event.kind === pods) this.#onPod(event.resource as Pod, event.type === 'DELETED');
    else if (event.kind === configMaps || event.kind === secrets) this.#sourceChanged(event.resource.metadata.namespace);
  }

  #onPod(pod: Pod, gone: boolean): void {
    const uid = pod.metadata.uid ?? '';
    const entry = this.#entries.get(uid);
    if (gone) {
      this.#entries.delete(uid);
      // Removed without its finalizer, by force: the instance must not outlive it.
      if (entry?.instance !== undefined && !entry.ending) void entry.instance.stop(graceMs(pod));
      this.#options.onChange(pod, undefined);
      return;
    }
    if (entry === undefined) {
      const fresh: Entry = { pod, instance: undefined, blocked: undefined, volumes: [], dirty: false, ending: false };
      this.#entries.set(uid, fresh);
      if (isTerminating(pod)) void this.#end(fresh);
      else this.#start(fresh);
      return;
    }
    entry.pod = pod;
    if (isTerminating(pod) && !entry.ending) void this.#end(entry);
    else this.#options.onChange(pod, entry.instance);
  }

  #start(entry: Entry): void {
    const spec = makeInstanceSpec(entry.pod, this.#options.store.view, this.#options.imageOf);
    if ('blocked' in spec) {
      entry.blocked = spec.blocked;
      this.#report(entry);
      return;
    }
    entry.blocked = undefined;
    entry.volumes = spec.volumes ?? [];
    const instance = this.#options.runtime.start(spec);
    entry.instance = instance;
    instance.onChange(() => {
      // At once, before the status is written: requests may be waiting for this instance.
      this.#options.onChange(entry.pod, instance);
      this.#report(entry);
    });
    this.#report(entry);
  }

  /** A config map or secret has changed: pods that waited for it start, volumes of running ones follow. */
  #sourceChanged(namespace: string | undefined): void {
    for (const entry of this.#entries.values()) {
      if (entry.ending || entry.pod.metadata.namespace !== namespace) continue;
      if (entry.blocked !== undefined) this.#start(entry);
      else if (entry.instance !== undefined && entry.volumes.length > 0) this.#updateVolumes(entry, entry.instance);
    }
  }

  #updateVolumes(entry: Entry, instance: Instance): void {
    let volumes: readonly VolumeSpec[];
    try {
      volumes = volumeSpecs(entry.pod, this.#options.store.view);
    } catch (error) {
      // A source that has gone leaves the files as they are, as on a cluster.
      if (error instanceof MissingReference) return;
      throw error;
    }
    const before = entry.volumes;
    entry.volumes = volumes;
    for (const [index, { name, files }] of volumes.entries()) {
      if (files !== undefined && !jsonEqual(files, before[index]?.files)) instance.updateVolume(name, files);
    }
  }

  /** Writes the pod's status once for all changes of one turn. */
  #report(entry: Entry): void {
    if (entry.dirty || this.#closed) return;
    entry.dirty = true;
    queueMicrotask(() => void this.#writeInTurn(entry));
  }

  async #writeInTurn(entry: Entry): Promise<void> {
    for (let pause = this.#options.pause?.(); pause !== undefined; pause = this.#options.pause?.()) await pause;
    entry.dirty = false;
    if (!this.#closed) await this.#write(entry);
  }

  async #write(entry: Entry): Promise<void> {
    const { store, clock, logger } = this.#options;
    const { namespace, name, uid } = entry.pod.metadata;
    const current = store.view.get(pods, namespace, name);
    if (current === undefined || current.metadata.uid !== uid) return;
    const { instance } = entry;
    try {
      if (instance?.address !== undefined && current.metadata.annotations?.[addressAnnotation] !== instance.address) {
        await store.patch(pods, namespace, name, { metadata: { annotations: { [addressAnnotation]: instance.address } } });
      }
      const status =
        instance === undefined
          ? blockedPodStatus(current, entry.blocked ?? '', clock.now())
          : podStatus(current, instance.status, clock.now());
      if (jsonEqual(status, current.status)) this.#options.onChange(current, instance);
      // Without a version: only the runner writes the status of its pods.
      else await store.updateStatus(pods, { ...current, metadata: { ...current.metadata, resourceVersion: '' }, status });
    } catch (error) {
      if (!isStaleRead(error))
        logger.error({ pod: resourceKey(namespace, name), error: messageOf(error) }, 'pod status could not be written');
    }
  }

  async #end(entry: Entry): Promise<void> {
    entry.ending = true;
    const { store, drain, logger } = this.#options;
    const { pod, instance } = entry;
    this.#options.onChange(pod, instance);
    const { namespace, name } = pod.metadata;
    try {
      if (instance !== undefined) {
        await drain(pod, graceMs(pod));
        await instance.stop(graceMs(pod));
      }
      const finalizers = (store.view.get(pods, namespace, name)?.metadata.finalizers ?? []).filter(
        (finalizer) => finalizer !== instanceFinalizer,
      );
      await store.patch(pods, namespace, name, { metadata: { finalizers } });
    } catch (error) {
      if (!isStaleRead(error))
        logger.error({ pod: resourceKey(namespace, name), error: messageOf(error) }, 'pod could not be ended');
    }
  }
}
