import type { Addressable } from '../../api/core/metadata.ts';
import type { AddressStatus } from '../../api/duck/addressable.ts';
import type { Destination, KReference } from '../../api/duck/destination.ts';
import { formatGoUrl, hostOf, parseGoUrl, resolveGoUrl } from '../../api/duck/go-url.ts';
import { cIdentifierProblems, dns1123LabelProblems, dns1123SubdomainProblems, qualifiedNameProblems } from '../../api/names.ts';
import type { Reader } from '../../api/reconciler.ts';

/** The address that a destination stands for, or why it stands for none, in upstream's words. */
export type Resolved =
  { readonly address: Addressable; readonly error?: undefined } | { readonly error: string; readonly address?: undefined };

/** Domain that the DNS names of core Services end with. */
export const clusterDomain = 'cluster.local';

/**
 * Resolves a destination as the URI resolver of knative.dev/pkg does. A `ref` without namespace is looked up in `defaultNamespace`
 * (reconcilers hand in their object's namespace; the resolver itself supplies none). Reading the object records it in `world`, so the
 * reconciler runs again when the address changes.
 */
export function resolveDestination(
  destination: Destination,
  world: Pick<Reader, 'getByReference'>,
  defaultNamespace = '',
): Resolved {
  if (destination.ref !== undefined) return resolveReference(destination, destination.ref, world, defaultNamespace);
  if (destination.uri === undefined) return { error: 'destination missing Ref and URI, expected at least one' };
  const uri = parseGoUrl(destination.uri);
  if (typeof uri === 'string') return { error: uri };
  if (uri.scheme === '' || hostOf(uri) === '') {
    return { error: `URI is not absolute (both scheme and host should be non-empty): ${JSON.stringify(formatGoUrl(uri))}` };
  }
  return { address: { url: formatGoUrl(uri), ...overrides(destination) } };
}

function overrides({ CACerts, audience }: Destination): Addressable {
  return { ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) };
}

function resolveReference(
  destination: Destination,
  ref: KReference,
  world: Pick<Reader, 'getByReference'>,
  defaultNamespace: string,
): Resolved {
  const found = addressOf(destination, { ...ref, namespace: ref.namespace ?? defaultNamespace }, world);
  if (found.address === undefined) return found;
  const { address } = found;
  if (destination.uri === undefined) return { address };
  const uri = parseGoUrl(destination.uri);
  if (typeof uri === 'string') return { error: uri };
  if (uri.scheme !== '') {
    return { error: 'absolute URI is not allowed when Ref or [apiVersion, kind, name] exists' };
  }
  const base = parseGoUrl(address.url ?? '');
  if (typeof base === 'string') return { error: base };
  return { address: { ...address, url: formatGoUrl(resolveGoUrl(base, uri)) } };
}

function addressOf(destination: Destination, ref: KReference, world: Pick<Reader, 'getByReference'>): Resolved {
  const { apiVersion = '', kind = '', namespace = '', name = '' } = ref;
  const untracked = trackingProblem(apiVersion, kind, namespace, name);
  if (untracked !== undefined) return { error: untracked };
  const resource = world.getByReference({ apiVersion, kind, namespace, name });
  if (resource === undefined) {
    return { error: `failed to get object ${namespace}/${name}: ${resourceName(apiVersion, kind)} "${name}" not found` };
  }
  if (apiVersion === 'v1' && kind === 'Service') {
    const scheme = destination.CACerts === undefined || destination.CACerts === '' ? 'http' : 'https';
    const url = `${scheme}://${name}.${namespace}.svc.${clusterDomain}`;
    return { address: { ...(ref.address === undefined ? {} : { name: ref.address }), url, ...overrides(destination) } };
  }
  const status: AddressStatus | null | undefined =
    typeof resource.status === 'object' ? (resource.status as AddressStatus | null) : undefined;
  const of = `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${ref.group ?? ''}, Address = ${ref.address ?? ''}`;
  const address = selectAddress(ref, status ?? {}, of);
  if (typeof address === 'string') return { error: address };
  if (address.url === undefined) return { error: `URL missing in address of ${of}` };
  const url = parseGoUrl(address.url);
  if (typeof url === 'string' || hostOf(url) === '') return { error: `hostname missing in address of ${of}` };
  // An empty text overrides nothing.
  const { CACerts = '', audience = '' } = destination;
  return { address: { ...address, ...(CACerts === '' ? {} : { CACerts }), ...(audience === '' ? {} : { audience }) } };
}

function selectAddress(ref: KReference, status: AddressStatus, of: string): Addressable | string {
  const addresses = status.addresses ?? [];
  const first = addresses[0] ?? status.address ?? undefined;
  if (first === undefined) return `address not set for ${of}`;
  if (ref.address === undefined || ref.address === '') return first;
  const named = addresses.find((candidate) => candidate.name === ref.address);
  return named ?? `address with name ${JSON.stringify(ref.address)} not found for ${of}`;
}

// Upstream watches what it refers to, and refuses names that no object can have.
function trackingProblem(apiVersion: string, kind: string, namespace: string, name: string): string | undefined {
  const problems = [
    ...qualifiedNameProblems(apiVersion).map((problem) => `APIVersion: ${problem}`),
    ...cIdentifierProblems(kind).map((problem) => `Kind: ${problem}`),
    ...(namespace === '' ? [] : dns1123LabelProblems(namespace).map((problem) => `Namespace: ${problem}`)),
    ...dns1123SubdomainProblems(name).map((problem) => `Name: ${problem}`),
  ];
  if (problems.length === 0) return undefined;
  const parts = apiVersion.split('/');
  const [group = '', version = ''] = parts.length > 2 ? [] : parts.length === 2 ? parts : ['', apiVersion];
  const resource = `${group}/${version}, Resource=${guessPlural(kind)}`;
  return `failed to track reference ${resource} ${namespace}/${name}: invalid Reference:\n${problems.sort().join('\n')}`;
}

/** `plural.group` of a kind whose plural is guessed as the Kubernetes client libraries guess it. */
export function resourceName(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  const plural = guessPlural(kind);
  return slash < 0 ? plural : `${plural}.${apiVersion.slice(0, slash)}`;
}

function guessPlural(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular === 'endpoints') return singular;
  if (singular.endsWith('s')) return `${singular}es`;
  if (singular.endsWith('y')) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}
