import { apiVersionOf, resourceNameOf, type Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import { resourceKey, type ObjectMeta, type Resource } from '../api/resource.ts';
import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { jsonClone, jsonEqual, jsonFreeze, mergePatch } from '../json.ts';
import { limits } from '../limits.ts';
import { rfc3339 } from '../time.ts';
import { randomUuid, systemRandom, type Random } from '../random.ts';
import { KindTable } from './kind-table.ts';
import type { DeleteOptions, ResourceStore, ResourceView, WatchEvent, WatchOptions, WriteOptions } from './resource-store.ts';

/** What admission gets to see; it returns the object to store (defaulted), or throws API_INVALID. */
export interface AdmissionRequest {
  readonly kind: Kind;
  readonly resource: Resource;
  readonly operation: 'create' | 'update' | 'updateStatus';
  readonly old?: Resource;
  readonly user: string;
}

export interface MemoryStoreOptions {
  /** Kinds that the store knows; others are refused with CONTROLLER_UNKNOWN_KIND. */
  readonly kinds: readonly Kind[];
  readonly clock?: Clock;
  readonly random?: Random;
  /** Defaulting and validation, called before each write. Default: objects are stored as they are. */
  readonly admission?: (request: AdmissionRequest) => Resource;
  /** Changes kept for watches that resume; default limits.watchHistoryMax. */
  readonly historyMax?: number;
}

const foregroundFinalizer = 'foregroundDeletion';
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

/** The store of the host: everything in memory, with the rules of an API server. `view` is its synchronous face. */
export class MemoryStore implements ResourceStore {
  readonly view: ResourceView;
  readonly kinds: readonly Kind[];
  readonly #tables = new Map<string, KindTable>();
  readonly #byApiVersion = new Map<string, Kind>();
  readonly #watchers = new Set<{ kind: Kind | undefined; listener: (event: WatchEvent) => void }>();
  readonly #history: WatchEvent[] = [];
  readonly #historyMax: number;
  readonly #dependents = new Map<string, Map<string, { kind: Kind; namespace: string | undefined; name: string }>>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #admission: ((request: AdmissionRequest) => Resource) | undefined;
  #version = 0;

  constructor(options: MemoryStoreOptions) {
    this.kinds = options.kinds;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? systemRandom;
    this.#admission = options.admission;
    this.#historyMax = options.historyMax ?? limits.watchHistoryMax;
    for (const kind of options.kinds) {
      this.#tables.set(resourceNameOf(kind), new KindTable(kind));
      this.#byApiVersion.set(`${apiVersionOf(kind)} ${kind.kind}`, kind);
    }
    this.view = {
      get: (kind, namespace, name) => this.#table(kind).get(resourceKey(namespace, name)),
      list: (kind, selector) => this.#table(kind).list(selector),
      synced: () => true,
      kindOf: (apiVersion, kind) => this.#byApiVersion.get(`${apiVersion} ${kind}`),
    };
  }

  /** The version of the last change. */
  get resourceVersion(): number {
    return this.#version;
  }

  #table<R extends Resource>(kind: Kind<R>): KindTable<R> {
    const table = this.#tables.get(resourceNameOf(kind));
    if (table === undefined) {
      throw new KnativeError('CONTROLLER_UNKNOWN_KIND', `the store does not know ${resourceNameOf(kind)}`, { status: 404 });
    }
    return table as unknown as KindTable<R>;
  }

  async get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): Promise<R | undefined> {
    return this.#table(kind).get(resourceKey(namespace, name));
  }

  async list<R extends Resource>(
    kind: Kind<R>,
    selector?: ListSelector,
  ): Promise<{ items: readonly R[]; resourceVersion: number }> {
    return { items: this.#table(kind).list(selector), resourceVersion: this.#version };
  }

  watch<R extends Resource>(options: WatchOptions<R>, listener: (event: WatchEvent<R>) => void): Disposable {
    // Watchers of one kind get events of that kind alone, so the wider type is safe.
    const deliver = listener as (event: WatchEvent) => void;
    if (options.fromVersion !== undefined && options.fromVersion < this.#version) {
      const oldest = this.#history[0]?.resourceVersion ?? this.#version + 1;
      if (options.fromVersion < oldest - 1) {
        throw new KnativeError('CONTROLLER_WATCH_EXPIRED', `too old resource version: ${options.fromVersion} (${oldest - 1})`, {
          status: 410,
        });
      }
      for (const event of this.#history) {
        if (event.resourceVersion > options.fromVersion && (options.kind === undefined || options.kind === event.kind))
          deliver(event);
      }
    }
    const watcher = { kind: options.kind, listener: deliver };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  async create<R extends Resource>(kind: Kind<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const table = this.#table(kind);
    const draft = jsonClone(resource);
    const { metadata } = draft;
    if (kind.namespaced) metadata.namespace ??= 'default';
    else delete metadata.namespace;
    if ((metadata.name ?? '') === '' && metadata.generateName !== undefined) metadata.name = this.#generatedName(table, metadata);
    if ((metadata.name ?? '') === '') {
      throw new KnativeError('API_INVALID', `${kind.kind} has no metadata.name`, {
        status: 422,
        path: 'metadata.name',
        hint: 'set metadata.name or metadata.generateName',
      });
    }
    const key = resourceKey(metadata.namespace, metadata.name);
    if (table.get(key) !== undefined) throw alreadyExists(kind, metadata.name);
    if (kind.statusSubresource) delete draft.status;
    const admitted = this.#admit({ kind, resource: draft, operation: 'create', user: options.user ?? 'system' }) as R;
    if (table.get(key) !== undefined) throw alreadyExists(kind, metadata.name);
    const stored: R = {
      ...admitted,
      metadata: {
        ...admitted.metadata,
        uid: randomUuid(this.#random),
        generation: 1,
        creationTimestamp: this.#timestamp(),
      },
    };
    delete stored.metadata.deletionTimestamp;
    return this.#put(table, kind, undefined, stored, 'ADDED');
  }

  async update<R extends Resource>(kind: Kind<R>, resource: R, options: WriteOptions = {}): Promise<R> {
    const table = this.#table(kind);
    const old = this.#current(table, kind, resource.metadata);
    return this.#replace(table, kind, old, jsonClone(resource), options);
  }

  async updateStatus<R extends Resource>(kind: Kind<R>, resource: R): Promise<R> {
    const table = this.#table(kind);
    const old = this.#current(table, kind, resource.metadata);
    return this.#replaceStatus(table, kind, old, jsonClone(resource.status));
  }

  async patch<R extends Resource>(
    kind: Kind<R>,
    namespace: string | undefined,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options: WriteOptions & { subresource?: 'status' } = {},
  ): Promise<R> {
    const table = this.#table(kind);
    const old = this.#current(table, kind, { name, ...(namespace === undefined ? {} : { namespace }) });
    const merged = jsonClone(mergePatch(old, patch)) as R;
    merged.metadata.name = old.metadata.name;
    if (old.metadata.namespace !== undefined) merged.metadata.namespace = old.metadata.namespace;
    if (options.subresource === 'status') return this.#replaceStatus(table, kind, old, merged.status);
    return this.#replace(table, kind, old, merged, options);
  }

  async delete<R extends Resource>(
    kind: Kind<R>,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): Promise<R> {
    const table = this.#table(kind);
    const old = this.#current(table, kind, {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
    });
    if (options.uid !== undefined && options.uid !== old.metadata.uid)
      throw conflict(kind, name, 'the uid in the precondition is another object’s');
    if (options.propagationPolicy === 'Orphan') await this.#orphanDependents(old);
    const finalizers = [...(old.metadata.finalizers ?? [])];
    const foreground = options.propagationPolicy === 'Foreground' && this.#blockingDependents(old).length > 0;
    if (foreground && !finalizers.includes(foregroundFinalizer)) finalizers.push(foregroundFinalizer);
    if (finalizers.length === 0) return this.#remove(table, kind, old);
    let stored: R = old;
    if (old.metadata.deletionTimestamp === undefined) {
      stored = this.#put(
        table,
        kind,
        old,
        {
          ...old,
          metadata: {
            ...old.metadata,
            finalizers,
            deletionTimestamp: this.#timestamp(),
            deletionGracePeriodSeconds: 0,
            generation: (old.metadata.generation ?? 0) + 1,
          },
        },
        'MODIFIED',
      );
    }
    if (foreground) {
      for (const dependent of this.#blockingDependents(old)) await this.#deleteDependent(dependent, 'Foreground');
      this.#finishForeground(old.metadata.uid);
    }
    return stored;
  }

  #current<R extends Resource>(table: KindTable<R>, kind: Kind<R>, metadata: Partial<ObjectMeta> & { name: string }): R {
    const namespace = kind.namespaced ? (metadata.namespace ?? 'default') : undefined;
    const old = table.get(resourceKey(namespace, metadata.name));
    if (old === undefined) {
      throw new KnativeError('CONTROLLER_NOT_FOUND', `${resourceNameOf(kind)} ${JSON.stringify(metadata.name)} not found`, {
        status: 404,
      });
    }
    const { resourceVersion } = metadata;
    if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== old.metadata.resourceVersion) {
      throw conflict(
        kind,
        metadata.name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    return old;
  }

  #replace<R extends Resource>(table: KindTable<R>, kind: Kind<R>, old: R, draft: R, options: WriteOptions): R {
    // The identity is the store's; a writer cannot change it, nor bring a deletion about or take it back.
    const identity: ObjectMeta = { ...draft.metadata };
    for (const field of [
      'uid',
      'creationTimestamp',
      'generation',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'namespace',
    ] as const) {
      delete identity[field];
      if (old.metadata[field] !== undefined) Object.assign(identity, { [field]: old.metadata[field] });
    }
    if (old.metadata.resourceVersion !== undefined) identity.resourceVersion = old.metadata.resourceVersion;
    let next: R = { ...draft, metadata: identity };
    if (kind.statusSubresource) {
      delete next.status;
      if (old.status !== undefined) next.status = old.status;
    }
    next = this.#admit({ kind, resource: next, operation: 'update', old, user: options.user ?? 'system' }) as R;
    if (jsonEqual(next, old)) return old;
    if (old.metadata.deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0)
      return this.#remove(table, kind, old);
    if (
      kind.statusSubresource &&
      !jsonEqual({ ...next, metadata: null, status: null }, { ...old, metadata: null, status: null })
    ) {
      next = { ...next, metadata: { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 } };
    }
    return this.#put(table, kind, old, next, 'MODIFIED');
  }

  #replaceStatus<R extends Resource>(table: KindTable<R>, kind: Kind<R>, old: R, status: unknown): R {
    if (jsonEqual(status, old.status)) return old;
    const next = { ...old, status } as R;
    return this.#put(table, kind, old, next, 'MODIFIED');
  }

  #admit(request: AdmissionRequest): Resource {
    return this.#admission === undefined ? request.resource : this.#admission(request);
  }

  #put<R extends Resource>(table: KindTable<R>, kind: Kind<R>, old: R | undefined, next: R, type: 'ADDED' | 'MODIFIED'): R {
    const version = ++this.#version;
    const stored = jsonFreeze({ ...next, metadata: { ...next.metadata, resourceVersion: String(version) } });
    if (old !== undefined) this.#forgetOwners(old);
    table.set(stored);
    this.#recordOwners(kind, stored);
    this.#notify({ type, kind, resource: stored, previous: old, resourceVersion: version });
    return stored;
  }

  #remove<R extends Resource>(table: KindTable<R>, kind: Kind<R>, old: R): R {
    const version = ++this.#version;
    table.delete(old);
    this.#forgetOwners(old);
    const gone = jsonFreeze({ ...old, metadata: { ...old.metadata, resourceVersion: String(version) } });
    this.#notify({ type: 'DELETED', kind, resource: gone, previous: old, resourceVersion: version });
    this.#collectDependents(old.metadata.uid);
    for (const owner of old.metadata.ownerReferences ?? []) this.#finishForeground(owner.uid);
    return gone;
  }

  #notify(event: WatchEvent): void {
    this.#history.push(event);
    // Trimmed in halves, so that the cost per change stays constant.
    if (this.#history.length > this.#historyMax * 2) this.#history.splice(0, this.#history.length - this.#historyMax);
    for (const watcher of this.#watchers) {
      if (watcher.kind === undefined || watcher.kind === event.kind) watcher.listener(event);
    }
  }

  #recordOwners(kind: Kind, resource: Resource): void {
    const { namespace, name, uid, ownerReferences } = resource.metadata;
    for (const owner of ownerReferences ?? []) {
      let dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) this.#dependents.set(owner.uid, (dependents = new Map()));
      dependents.set(uid ?? '', { kind, namespace, name });
    }
  }

  #forgetOwners(resource: Resource): void {
    for (const owner of resource.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(resource.metadata.uid ?? '');
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }

  #collectDependents(uid: string | undefined): void {
    for (const dependent of [...(this.#dependents.get(uid ?? '')?.values() ?? [])]) {
      const resource = this.view.get(dependent.kind, dependent.namespace, dependent.name);
      // An object with several owners stays as long as one of them is there.
      const others = resource?.metadata.ownerReferences?.filter((owner) => owner.uid !== uid && this.#exists(owner.uid)) ?? [];
      if (resource !== undefined && others.length === 0) void this.#deleteDependent(dependent, 'Background');
    }
  }

  #exists(uid: string): boolean {
    for (const table of this.#tables.values()) if (table.hasUid(uid)) return true;
    return false;
  }

  #blockingDependents(owner: Resource): { kind: Kind; namespace: string | undefined; name: string }[] {
    return [...(this.#dependents.get(owner.metadata.uid ?? '')?.values() ?? [])].filter(({ kind, namespace, name }) =>
      this.view
        .get(kind, namespace, name)
        ?.metadata.ownerReferences?.some(
          (reference) => reference.uid === owner.metadata.uid && reference.blockOwnerDeletion === true,
        ),
    );
  }

  async #deleteDependent(
    dependent: { kind: Kind; namespace: string | undefined; name: string },
    policy: 'Background' | 'Foreground',
  ): Promise<void> {
    try {
      await this.delete(dependent.kind, dependent.namespace, dependent.name, { propagationPolicy: policy });
    } catch (error) {
      if (!KnativeError.is(error) || error.code !== 'CONTROLLER_NOT_FOUND') throw error;
    }
  }

  #finishForeground(ownerUid: string | undefined): void {
    if (ownerUid === undefined) return;
    for (const table of this.#tables.values()) {
      const owner = table.byUid(ownerUid);
      if (owner?.metadata.finalizers?.includes(foregroundFinalizer) !== true) continue;
      if (this.#blockingDependents(owner).length > 0) return;
      const finalizers = owner.metadata.finalizers.filter((name) => name !== foregroundFinalizer);
      if (finalizers.length === 0) this.#remove(table, table.kind, owner);
      else this.#put(table, table.kind, owner, { ...owner, metadata: { ...owner.metadata, finalizers } }, 'MODIFIED');
    }
  }

  async #orphanDependents(owner: Resource): Promise<void> {
    for (const { kind, namespace, name } of [...(this.#dependents.get(owner.metadata.uid ?? '')?.values() ?? [])]) {
      const dependent = this.view.get(kind, namespace, name);
      if (dependent === undefined) continue;
      const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter(
        (reference) => reference.uid !== owner.metadata.uid,
      );
      await this.update(kind, { ...dependent, metadata: { ...dependent.metadata, ownerReferences } });
    }
  }

  #generatedName(table: KindTable, metadata: ObjectMeta): string {
    for (;;) {
      let name = metadata.generateName ?? '';
      for (let i = 0; i < 5; i++) name += suffixLetters[Math.floor(this.#random() * suffixLetters.length)] ?? 'x';
      if (table.get(resourceKey(metadata.namespace, name)) === undefined) return name;
    }
  }

  #timestamp(): string {
    return rfc3339(this.#clock.now());
  }
}

function alreadyExists(kind: Kind, name: string): KnativeError {
  return new KnativeError('CONTROLLER_ALREADY_EXISTS', `${resourceNameOf(kind)} ${JSON.stringify(name)} already exists`, {
    status: 409,
  });
}

function conflict(kind: Kind, name: string, why: string): KnativeError {
  return new KnativeError(
    'CONTROLLER_CONFLICT',
    `Operation cannot be fulfilled on ${resourceNameOf(kind)} ${JSON.stringify(name)}: ${why}`,
    { status: 409 },
  );
}

/** An empty in-memory store. Uid index, owner index and label index keep every look-up independent of the number of objects. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  return new MemoryStore(options);
}
