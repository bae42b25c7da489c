import type { Kind } from '../../api/kind.ts';
import { certificates, type Certificate } from '../../api/networking/certificate.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Resource } from '../../api/resource.ts';
import { semanticEqual } from '../equal.ts';
import { isControlledBy } from '../metadata.ts';
import type { Pass } from '../pass.ts';

/** The stored Certificate brought to what is wanted, or made; `undefined` when somebody else owns it. */
export function syncCertificate(pass: Pass, world: Reader, owner: Resource, desired: Certificate): Certificate | undefined {
  const { namespace = '', name } = desired.metadata;
  const existing = world.get(certificates, namespace, name);
  if (existing === undefined) {
    pass.event('Created', `Created Certificate ${namespace}/${name}`);
    return pass.create(certificates, desired);
  }
  if (!isControlledBy(existing, owner)) return undefined;
  const { labels = {}, annotations = {} } = desired.metadata;
  if (
    semanticEqual(existing.spec, desired.spec) &&
    semanticEqual(existing.metadata.annotations, annotations) &&
    semanticEqual(existing.metadata.labels, labels)
  ) {
    return existing;
  }
  const sameSpec = semanticEqual(existing.spec, desired.spec);
  const changed = { ...existing, spec: desired.spec, metadata: { ...existing.metadata, labels, annotations } };
  pass.update(certificates, changed);
  pass.event('Updated', `Updated Spec for Certificate ${namespace}/${name}`);
  const generation = (existing.metadata.generation ?? 0) + (sameSpec ? 0 : 1);
  return { ...changed, metadata: { ...changed.metadata, generation } };
}

/** The error of a Certificate that somebody else owns, in upstream's words. */
export function certificateNotOwned(kind: Pick<Kind, 'kind' | 'version'>, owner: Resource, name: string): string {
  return `notowned: owner: ${owner.metadata.name} with Type *${kind.version}.${kind.kind} does not own Certificate: "${name}"`;
}
