import type { FieldErrors } from './field-errors.ts';
import type { Resource } from './resource.ts';
import type { Schema } from './schema.ts';

/** What defaulting and validation may look at besides the object itself. */
export interface AdmissionContext {
  /** Default `create`. */
  readonly operation?: 'create' | 'update' | 'updateStatus';
  /** The stored object, for updates. */
  readonly old?: Resource;
  /** Who asks; becomes `serving.knative.dev/creator` and `lastModifier`. */
  readonly user?: string;
  /** Data of a config map by name (`config-defaults`, `config-features`, `config-autoscaler` …), `undefined` when there is none. */
  readonly config?: (name: string) => Readonly<Record<string, string>> | undefined;
}

/**
 * A resource kind, declared once: the schema gives its type, strict decoding and CRD; `defaults` and `validate` are its semantics,
 * with upstream's messages. One exported constant per kind, in one file per kind.
 */
export interface Kind<R extends Resource = Resource> {
  /** API group, '' for core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower-case plural, as in URLs. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  /** Names of top-level fields other than apiVersion, kind, metadata, spec and status live in the schema too (ConfigMap's `data`). */
  readonly schema: Schema<R>;
  /** True when `status` is a subresource: then `update` keeps it and generation counts spec changes. */
  readonly statusSubresource: boolean;
  /** What else objects are looked up by than labels, owner and namespace: `name=value` texts, for `ListSelector.index`. Pure. */
  indexed?(resource: R): readonly string[];
  /** A copy of `resource` with defaults filled in; the argument is not changed. Pure. */
  defaults?(resource: R, context: AdmissionContext): R;
  /** Errors of a defaulted resource, empty when it is valid. Pure. */
  validate?(resource: R, context: AdmissionContext): FieldErrors;
  /** Warnings of a defaulted, valid resource, in upstream's order. Pure. */
  warnings?(resource: R, context: AdmissionContext): readonly string[];
}

/** `group/version`, or `version` for core kinds: a resource's `apiVersion`. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `plural.group` (`services.serving.knative.dev`), or `plural` for core kinds: the name that kubectl uses for a kind. */
export function resourceNameOf(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}
