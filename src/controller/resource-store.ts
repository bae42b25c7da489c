import type { Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import type { Resource } from '../api/resource.ts';

/** One change, in the order of the store's resourceVersions. */
export interface WatchEvent<R extends Resource = Resource> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind<R>;
  readonly resource: R;
  /** The object before the change; `undefined` for ADDED, and for events replayed from history. */
  readonly previous: R | undefined;
  readonly resourceVersion: number;
}

export interface WatchOptions<R extends Resource = Resource> {
  /** Events after this version are replayed first; throws CONTROLLER_WATCH_EXPIRED (410) when the history no longer has them. Default: from now on. */
  readonly fromVersion?: number;
  /** Default: every kind. */
  readonly kind?: Kind<R>;
}

export interface WriteOptions {
  /** Who writes; becomes creator and lastModifier where the kind has them. Default `system`. */
  readonly user?: string;
}

export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default Background: children go after the owner. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * The store port: what a Kubernetes API server offers. The host has it in memory, on a cluster it is the API server. Refused
 * writes reject with a `KnativeError`: CONTROLLER_NOT_FOUND (404), CONTROLLER_ALREADY_EXISTS, CONTROLLER_CONFLICT (409),
 * API_INVALID (422). Objects that come out are frozen and shared.
 */
export interface ResourceStore {
  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): Promise<R | undefined>;
  list<R extends Resource>(kind: Kind<R>, selector?: ListSelector): Promise<{ items: readonly R[]; resourceVersion: number }>;
  /** Calls `listener` for each change, in order. A listener must not write synchronously. */
  watch<R extends Resource>(options: WatchOptions<R>, listener: (event: WatchEvent<R>) => void): Disposable;
  create<R extends Resource>(kind: Kind<R>, resource: R, options?: WriteOptions): Promise<R>;
  /** Replaces everything but status. With `metadata.resourceVersion` set, only when that is still the current one. */
  update<R extends Resource>(kind: Kind<R>, resource: R, options?: WriteOptions): Promise<R>;
  /** Replaces the status alone. */
  updateStatus<R extends Resource>(kind: Kind<R>, resource: R): Promise<R>;
  /** JSON merge patch of everything but status, or of the status alone. */
  patch<R extends Resource>(
    kind: Kind<R>,
    namespace: string | undefined,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    options?: WriteOptions & { subresource?: 'status' },
  ): Promise<R>;
  /** The object that went, or that waits for its finalizers. */
  delete<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string, options?: DeleteOptions): Promise<R>;
}

/** Synchronous reads of what is known now: the memory store itself, or a cache fed by watches. */
export interface ResourceView {
  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): R | undefined;
  list<R extends Resource>(kind: Kind<R>, selector?: ListSelector): readonly R[];
  /** False while the first list of a kind is under way. */
  synced(kind: Kind): boolean;
  /** The kind of an apiVersion and kind name, when the view knows it. */
  kindOf(apiVersion: string, kind: string): Kind | undefined;
}
