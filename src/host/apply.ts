import type { Kind } from '../api/kind.ts';
import { resourceKey, type Resource } from '../api/resource.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { strictDecode } from '../api/strict-decode.ts';
import { KnativeError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import { createStoreAdmission } from './store-admission.ts';
import { ensureNamespace } from './prepare-store.ts';

/** One document of a manifest that was applied. */
export interface AppliedDocument {
  readonly kind: Kind;
  /** As stored. */
  readonly resource: Resource;
  readonly change: 'created' | 'configured' | 'unchanged';
}

/**
 * Stores an admitted document: creates the object, or replaces what the document says of it. Fields that others own (status, labels
 * and annotations that the document does not mention) stay, as with kubectl apply.
 */
export async function storeApplied(store: MemoryStore, kind: Kind, resource: Resource): Promise<AppliedDocument> {
  const namespace = kind.namespaced ? (resource.metadata.namespace ?? 'default') : undefined;
  if (namespace !== undefined) await ensureNamespace(store, namespace);
  const old = store.view.get(kind, namespace, resource.metadata.name);
  if (old === undefined) return { kind, resource: await store.create(kind, resource, { user: applyUser }), change: 'created' };
  const merged = mergeApplied(old, resource);
  const stored = await store.update(kind, merged, { user: applyUser });
  return { kind, resource: stored, change: stored === old ? 'unchanged' : 'configured' };
}

/** What `resource` says, and of metadata also what it does not mention. */
function mergeApplied(old: Resource, resource: Resource): Resource {
  const { resourceVersion: _, ...metadata } = {
    ...old.metadata,
    ...resource.metadata,
    labels: { ...old.metadata.labels, ...resource.metadata.labels },
    annotations: { ...old.metadata.annotations, ...resource.metadata.annotations },
  };
  return { ...old, ...resource, metadata };
}

/** Who applies manifests on this machine: becomes creator and lastModifier. */
export const applyUser = 'local';

/** `kind namespace/name` of any object, for messages. */
export function describeObject(object: unknown): string {
  if (!isJsonObject(object)) return 'object';
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const name = String(metadata['name'] ?? '(no name)');
  return `${String(object['kind'] ?? 'object')} ${resourceKey(typeof metadata['namespace'] === 'string' ? metadata['namespace'] : undefined, name)}`;
}

export interface ApplyOptions {
  /** Dialect to read the manifest in; default: detected. */
  readonly dialect?: string;
}

/** Reads a manifest, admits every document, then stores them in order. Nothing is stored when one of them is refused. */
export async function applyManifest(
  store: MemoryStore,
  manifest: string | object,
  options: ApplyOptions & { readonly config: (name: string) => Readonly<Record<string, string>> },
): Promise<readonly AppliedDocument[]> {
  const objects = typeof manifest === 'string' ? await parseManifest(manifest) : [manifest];
  const admitted = objects.map((object) => decodeDocument(store, object));
  const admission = createStoreAdmission(options.config);
  // All are judged before the first is stored, so that a bad one leaves no half-applied manifest.
  for (const { kind, resource } of admitted) {
    const old = store.view.get(
      kind,
      kind.namespaced ? (resource.metadata.namespace ?? 'default') : undefined,
      resource.metadata.name,
    );
    if (old === undefined) admission({ kind, resource, operation: 'create', user: applyUser });
    else admission({ kind, resource: mergeApplied(old, resource), operation: 'update', user: applyUser, old });
  }
  const applied: AppliedDocument[] = [];
  for (const { kind, resource } of admitted) applied.push(await storeApplied(store, kind, resource));
  return applied;
}

async function parseManifest(text: string): Promise<unknown[]> {
  const { parseAllDocuments } = await import('yaml');
  const documents = parseAllDocuments(text);
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new KnativeError('HOST_MANIFEST_SYNTAX', error.message, { status: 400, cause: error });
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [value];
  });
}

function decodeDocument(store: MemoryStore, object: unknown): { kind: Kind; resource: Resource } {
  const header = isJsonObject(object) ? object : {};
  const apiVersion = String(header['apiVersion'] ?? '');
  const kindName = String(header['kind'] ?? '');
  const kind = store.view.kindOf(apiVersion, kindName);
  if (kind === undefined) {
    throw new KnativeError('HOST_UNKNOWN_KIND', `unknown kind ${JSON.stringify(kindName)} of ${JSON.stringify(apiVersion)}`, {
      status: 400,
      path: 'kind',
      hint: `known kinds are ${store.kinds.map((known) => known.kind).join(', ')}`,
    });
  }
  const { value, problems } = strictDecode(kind.schema, object);
  const [problem] = problems;
  if (problem !== undefined) {
    const hint = problem.suggestion === undefined ? {} : { hint: `did you mean ${problem.suggestion}?` };
    throw new KnativeError('API_INVALID', `${describeObject(object)}: ${problem.message}`, {
      status: 400,
      path: problem.path,
      ...hint,
    });
  }
  return { kind, resource: value };
}
