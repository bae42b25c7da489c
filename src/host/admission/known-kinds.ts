import { eventingKinds } from '../../api/eventing/kinds.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import { coreKinds, servingKinds } from '../../api/kinds.ts';

/** Every kind that the host stores. */
export const knownKinds: readonly Kind[] = [...coreKinds, ...servingKinds, ...eventingKinds];

/** Finds kinds by apiVersion and kind. */
export type KindLookup = (apiVersion: string, kind: string) => Kind | undefined;

export function kindLookup(kinds: readonly Kind[]): KindLookup {
  const byName = new Map(kinds.map((kind) => [`${apiVersionOf(kind)}/${kind.kind}`, kind]));
  return (apiVersion, kind) => byName.get(`${apiVersion}/${kind}`);
}

const kubernetesGroups = new Set(['', 'apps', 'autoscaling', 'batch', 'extensions', 'policy']);

/** True for kinds of Kubernetes itself: the host keeps quiet about those that it does not know. */
export function isKubernetesKind(apiVersion: string): boolean {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return kubernetesGroups.has(group) || group.endsWith('.k8s.io');
}
