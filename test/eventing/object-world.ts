import type { Reader } from '../../src/api/reconciler.ts';
import type { Resource } from '../../src/api/resource.ts';

/** A read-only world made of a list of objects, config maps and facts. */
export function objectWorld(
  objects: readonly Resource[],
  options: { config?: Record<string, Record<string, string>>; facts?: Record<string, unknown> } = {},
): Reader {
  const find = (match: (object: Resource) => boolean): readonly Resource[] => objects.filter(match);
  const isOf = (object: Resource, group: string, kind: string): boolean =>
    object.kind === kind && (group === '' ? !object.apiVersion.includes('/') : object.apiVersion.startsWith(`${group}/`));
  const reader = {
    get: (kind: { group: string; kind: string }, namespace: string | undefined, name: string) =>
      find(
        (object) =>
          isOf(object, kind.group, kind.kind) && object.metadata.name === name && object.metadata.namespace === namespace,
      )[0],
    list: (kind: { group: string; kind: string }, selector?: { namespace?: string }) =>
      find(
        (object) =>
          isOf(object, kind.group, kind.kind) &&
          (selector?.namespace === undefined || object.metadata.namespace === selector.namespace),
      ),
    getByReference: (reference: { apiVersion: string; kind: string; namespace?: string; name: string }) =>
      find(
        (object) =>
          object.apiVersion === reference.apiVersion &&
          object.kind === reference.kind &&
          object.metadata.name === reference.name &&
          (object.metadata.namespace ?? '') === (reference.namespace ?? ''),
      )[0],
    config: (name: string) => options.config?.[name] ?? {},
    fact: (request: { provider: string; key: string }) => options.facts?.[`${request.provider} ${request.key}`],
  };
  return reader as unknown as Reader;
}
