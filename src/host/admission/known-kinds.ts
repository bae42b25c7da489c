import { eventingKinds } from '../../api/eventing/kinds.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import { coreKinds, servingKinds } from '../../api/kinds.ts';
import { nearestName } from '../../api/strict-decode.ts';

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

/** The kind that a document means whose kind does not exist. */
export interface NearestKind {
  /** `apiVersion kind` of the one that is meant. */
  readonly text: string;
  /** True when the name is right and only the version is another one. */
  readonly otherVersion: boolean;
}

/** Another version of a kind, or the kind of the same group whose name is nearest. */
export function nearestKind(apiVersion: string, kind: string, kinds: readonly Kind[]): NearestKind | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const inGroup = kinds.filter((known) => known.group === group);
  const name = nearestName(kind, new Set(inGroup.map((known) => known.kind)));
  const found = inGroup.find((known) => known.kind === name);
  if (found === undefined) return undefined;
  return { text: `${apiVersionOf(found)} ${found.kind}`, otherVersion: found.kind === kind };
}
