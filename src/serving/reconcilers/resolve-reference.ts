import type { KnativeReference } from '../../api/core/metadata.ts';
import type { Reader } from '../../api/reconciler.ts';
import { isJsonObject } from '../../json.ts';
import { clusterServiceDomain } from '../keys.ts';

/** The URL of what a reference names: the address in its status, or the cluster's name of a core Service. */
export function resolveReference(
  reference: KnativeReference,
  defaultNamespace: string | undefined,
  world: Reader,
): { readonly url: string } | { readonly error: string } {
  const { kind, name, group = '' } = reference;
  const namespace = (reference.namespace ?? '') === '' ? (defaultNamespace ?? '') : (reference.namespace ?? '');
  const apiVersion = reference.apiVersion ?? '';
  const target = world.getByReference({ apiVersion, kind, namespace, name });
  if (target === undefined) {
    const apiGroup = apiVersion.includes('/') ? `.${apiVersion.split('/', 1)[0] ?? ''}` : '';
    const resource = `${kind.toLowerCase()}s${apiGroup}`;
    return { error: `failed to get object ${namespace}/${name}: ${resource} "${name}" not found` };
  }
  if (kind === 'Service' && apiVersion === 'v1') return { url: `http://${name}.${namespace}.${clusterServiceDomain}` };
  const address = isJsonObject(target.status) ? target.status['address'] : undefined;
  const url = isJsonObject(address) ? address['url'] : undefined;
  if (typeof url === 'string' && url !== '') return { url };
  const described = `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${group}, Address = ${reference.address ?? ''}`;
  return { error: `address not set for ${described}` };
}
