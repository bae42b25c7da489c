import type { Kind } from './kind.ts';
import type { Resource } from './resource.ts';

/** Which objects of a kind to list. All given parts must hold. */
export interface ListSelector {
  /** Default: every namespace. */
  readonly namespace?: string;
  /** Labels that must be equal. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Uid of the controlling owner. */
  readonly ownerUid?: string;
  /** One `name=value` of the kind's declared index (`Kind.indexed`). */
  readonly index?: string;
}

/**
 * A question about the world outside of the store: decider state, activator probe, image digest, sink resolution, ingress
 * readiness. `provider` names who answers; `key` identifies the question, `params` what the provider needs to answer it.
 */
export interface FactRequest<T> {
  readonly provider: string;
  readonly key: string;
  readonly params?: unknown;
  /** Never set: carries the type of the answer. */
  readonly answer?: T;
}

/**
 * The read-only view that a reconciler gets. Everything read is recorded and becomes the watch set of the key: a later change of
 * any of it wakes the key again. A kind whose objects are not known yet answers as if empty and marks the pass: its plan is thrown
 * away (reconciling is pure, so nothing has happened) and made anew once the kind is synced.
 * Objects are shared and must not be changed.
 */
export interface Reader {
  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): R | undefined;
  list<R extends Resource>(kind: Kind<R>, selector?: ListSelector): readonly R[];
  /** Any kind by its apiVersion and kind, for references; `undefined` also for kinds that the store does not know. */
  getByReference(reference: {
    apiVersion: string;
    kind: string;
    namespace?: string | undefined;
    name: string;
  }): Resource | undefined;
  /** Data of a config map of the system namespaces (`config-autoscaler`, `config-br-defaults` …): the last valid one; `{}` when there is none. */
  config(name: string): Readonly<Record<string, string>>;
  /** The last known answer, `undefined` while there is none. The provider wakes the key when the answer changes. */
  fact<T>(request: FactRequest<T>): T | undefined;
}

/** One change to carry out. `resource.metadata.resourceVersion` is the version that an update is based on. */
export type Write =
  | { readonly op: 'create'; readonly kind: Kind; readonly resource: Resource }
  | { readonly op: 'update'; readonly kind: Kind; readonly resource: Resource }
  | {
      /** JSON merge patch (RFC 7386) of everything but status; of status alone with `subresource`. */
      readonly op: 'patch';
      readonly kind: Kind;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly patch: Readonly<Record<string, unknown>>;
      readonly subresource?: 'status';
    }
  | {
      readonly op: 'delete';
      readonly kind: Kind;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly uid?: string;
    };

/** A Kubernetes event about the reconciled object. */
export interface EventRecord {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What a reconciler wants: changes, the object's own status, and when to look again. */
export interface Plan {
  readonly writes: readonly Write[];
  /** The complete new status; written only when it differs. Left out: the status stays. */
  readonly status?: object;
  /** Reconcile again after this long even if nothing changed. */
  readonly requeueAfterMs?: number;
  readonly events?: readonly EventRecord[];
  /** What went wrong, when the pass should be retried with back-off; writes and status are still carried out. */
  readonly error?: string;
}

/** Turns one object and the world into a plan. Pure: called again at any time, with equal input it returns an equal plan. */
export interface Reconciler<R extends Resource = Resource> {
  /** Unique, kebab-case: names the work queue, metrics and log lines. */
  readonly name: string;
  readonly kind: Kind<R>;
  reconcile(resource: R, world: Reader, nowMs: number): Plan;
  /** Called instead of `reconcile` for an object being deleted that carries `finalizer`; the finalizer is taken off after a plan without error. */
  readonly finalizer?: string;
  finalize?(resource: R, world: Reader, nowMs: number): Plan;
}
