import type { Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import { resourceKey, type Resource } from '../api/resource.ts';
import { controllerUidOf, selects } from './label-selector.ts';

/** The objects of one kind, indexed by key, uid, controlling owner, namespace, every `label=value` and the kind's declared index. */
export class KindTable<R extends Resource = Resource> {
  readonly kind: Kind<R>;
  readonly #byKey = new Map<string, R>();
  readonly #byUid = new Map<string, R>();
  readonly #index = new Map<string, Map<string, R>>();

  constructor(kind: Kind<R>) {
    this.kind = kind;
  }

  get(key: string): R | undefined {
    return this.#byKey.get(key);
  }

  byUid(uid: string): R | undefined {
    return this.#byUid.get(uid);
  }

  hasUid(uid: string): boolean {
    return this.#byUid.has(uid);
  }

  set(resource: R): void {
    const key = resourceKey(resource.metadata.namespace, resource.metadata.name);
    const previous = this.#byKey.get(key);
    if (previous !== undefined) this.#unindex(key, previous);
    this.#byKey.set(key, resource);
    this.#byUid.set(resource.metadata.uid ?? '', resource);
    for (const token of indexTokens(this.kind, resource)) {
      let entries = this.#index.get(token);
      if (entries === undefined) this.#index.set(token, (entries = new Map()));
      entries.set(key, resource);
    }
  }

  delete(resource: R): void {
    const key = resourceKey(resource.metadata.namespace, resource.metadata.name);
    const stored = this.#byKey.get(key);
    if (stored === undefined) return;
    this.#unindex(key, stored);
    this.#byKey.delete(key);
    this.#byUid.delete(stored.metadata.uid ?? '');
  }

  /** Matching objects, sorted by key. */
  list(selector: ListSelector = {}): readonly R[] {
    const candidates = this.#candidates(selector);
    const found: R[] = [];
    for (const resource of candidates.values()) if (selects(selector, resource, this.kind)) found.push(resource);
    return found.sort(byKey);
  }

  #candidates(selector: ListSelector): Map<string, R> {
    if (selector.ownerUid !== undefined) return this.#index.get(`owner ${selector.ownerUid}`) ?? new Map();
    if (selector.index !== undefined) return this.#index.get(`index ${selector.index}`) ?? new Map();
    let smallest: Map<string, R> | undefined;
    for (const [name, value] of Object.entries(selector.labels ?? {})) {
      const entries = this.#index.get(`label ${name}=${value}`) ?? new Map<string, R>();
      if (smallest === undefined || entries.size < smallest.size) smallest = entries;
    }
    if (smallest !== undefined) return smallest;
    if (selector.namespace !== undefined) return this.#index.get(`namespace ${selector.namespace}`) ?? new Map();
    return this.#byKey;
  }

  #unindex(key: string, resource: R): void {
    for (const token of indexTokens(this.kind, resource)) {
      const entries = this.#index.get(token);
      entries?.delete(key);
      if (entries?.size === 0) this.#index.delete(token);
    }
  }
}

function indexTokens<R extends Resource>(kind: Kind<R>, resource: R): string[] {
  const tokens: string[] = [];
  const { namespace, labels } = resource.metadata;
  if (namespace !== undefined) tokens.push(`namespace ${namespace}`);
  const owner = controllerUidOf(resource);
  if (owner !== undefined) tokens.push(`owner ${owner}`);
  for (const name in labels) tokens.push(`label ${name}=${labels[name] ?? ''}`);
  for (const entry of kind.indexed?.(resource) ?? []) tokens.push(`index ${entry}`);
  return tokens;
}

function byKey(a: Resource, b: Resource): number {
  const left = a.metadata.namespace ?? '';
  const right = b.metadata.namespace ?? '';
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0;
}
