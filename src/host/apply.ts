import type { Kind } from '../api/kind.ts';
import type { Resource } from '../api/resource.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { KnativeError } from '../errors.ts';
import { admit, type AdmitOptions, type AdmittedDocument } from './admission/admit.ts';
import { problemsError } from './admission-error.ts';
import { ensureNamespace } from './prepare-store.ts';

/** One object of a manifest that was applied. */
export interface AppliedDocument {
  readonly kind: Kind;
  /** As stored. */
  readonly resource: Resource;
  readonly change: 'created' | 'configured' | 'unchanged';
}

/** What became of a manifest. */
export interface ApplyResult {
  readonly applied: readonly AppliedDocument[];
  /** Every document with what is said about its fields: what was mapped, what has no effect, what is not supported. */
  readonly documents: readonly AdmittedDocument[];
}

export interface ApplyOptions {
  /** The platform whose manifest it is, or `knative`. Default: recognised from what is in it. */
  readonly dialect?: NonNullable<AdmitOptions['dialect']>;
}

/** Who applies manifests on this machine: becomes creator and lastModifier. */
export const applyUser = 'local';

/** Reads a manifest, admits every document, then stores them in order. Throws API_INVALID, and stores nothing, when one of them is refused. */
export async function applyManifest(
  store: MemoryStore,
  manifest: string | object,
  options: ApplyOptions & { readonly config: (name: string) => Readonly<Record<string, string>> },
): Promise<ApplyResult> {
  const { dialect, config } = options;
  const admission = await admit(manifest, {
    kinds: store.kinds,
    user: applyUser,
    merge: true,
    config,
    stored: (kind, namespace, name) => store.view.get(kind, namespace, name),
    ...(dialect === undefined ? {} : { dialect }),
  });
  const refused = admission.documents.find(({ verdict }) => verdict === 'reject');
  if (refused !== undefined) throw refusal(refused, admission.documents.length);
  const unknown = admission.documents.find(({ objects, verdict }) => verdict === 'report' && objects.length === 0);
  // A manifest of which nothing can be applied is a mistake; among others an unknown kind is reported and left out.
  if (unknown !== undefined && admission.documents.every(({ objects }) => objects.length === 0)) throw unknownKind(unknown);
  const applied: AppliedDocument[] = [];
  for (const { objects } of admission.documents) {
    for (const { kind, resource } of objects) applied.push(await storeApplied(store, kind, resource));
  }
  return { applied, documents: admission.documents };
}

function refusal(document: AdmittedDocument, count: number): KnativeError {
  const error = problemsError(document.problems, document.error);
  if (count === 1) return error;
  const line = document.position === undefined ? `document ${document.index + 1}` : `line ${document.position.line}`;
  return new KnativeError(error.code, `${line}, ${document.kind ?? 'object'} ${document.name ?? ''}: ${error.message}`, {
    cause: error,
    status: 400,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

function unknownKind({ apiVersion, kind }: AdmittedDocument): KnativeError {
  return new KnativeError(
    'HOST_UNKNOWN_KIND',
    `unknown kind ${JSON.stringify(kind ?? '')} of ${JSON.stringify(apiVersion ?? '')}`,
    {
      status: 400,
      path: 'kind',
      hint: 'this host runs the kinds of Knative Serving and Eventing, Deployments, Services, ConfigMaps, Secrets and Namespaces',
    },
  );
}

/**
 * Stores an admitted document: creates the object, or replaces what the document says of it. Fields that others own (status, labels
 * and annotations that the document does not mention) stay, as with kubectl apply.
 */
async function storeApplied(store: MemoryStore, kind: Kind, resource: Resource): Promise<AppliedDocument> {
  const namespace = kind.namespaced ? (resource.metadata.namespace ?? 'default') : undefined;
  if (namespace !== undefined) await ensureNamespace(store, namespace);
  const old = store.view.get(kind, namespace, resource.metadata.name);
  if (old === undefined) return { kind, resource: await store.create(kind, resource, { user: applyUser }), change: 'created' };
  const stored = await store.update(kind, mergeApplied(old, resource), { user: applyUser });
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
