import type { AdmissionContext } from '../kind.ts';

const defaultFlags: Readonly<Record<string, string>> = {
  'kreference-group': 'Disabled',
  'delivery-retryafter': 'Disabled',
  'delivery-timeout': 'Enabled',
  'kreference-mapping': 'Disabled',
  'transport-encryption': 'Disabled',
  'authentication-oidc': 'Disabled',
  'eventtype-auto-create': 'Disabled',
  'new-apiserversource-filters': 'Disabled',
  'default-authorization-mode': 'Allow-Same-Namespace',
  'oidc-discovery-base-url': 'https://kubernetes.default.svc',
  'requestreply-default-timeout': 'PT30S',
};

const anywhere = ['Allowed', 'Disabled', 'Enabled'];
const byFlag: Readonly<Record<string, readonly string[]>> = {
  'transport-encryption': ['Permissive', 'Strict'],
  'default-authorization-mode': ['Allow-All', 'Deny-All', 'Allow-Same-Namespace'],
};

/**
 * Eventing's feature flags (config map `config-features`) by name: upstream's defaults under the given data. Known values are spelled as
 * upstream spells them, whatever their case; unknown flags and values are kept; keys that begin with `_` are notes.
 */
export function eventingFeatures(data: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  const flags = new Map(Object.entries(defaultFlags));
  for (const [key, value] of Object.entries(data ?? {})) {
    if (key.startsWith('_')) continue;
    const name = key.trim();
    const known = [...anywhere, ...(byFlag[name] ?? [])].find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (known !== undefined) flags.set(name, known);
    else if (key.includes('apiserversources-nodeselector-') || name === 'oidc-discovery-base-url') flags.set(name, value);
    else flags.set(key, value);
  }
  return flags;
}

/** True when a feature is enabled in what admission may look at. */
export function isFeatureEnabled(context: AdmissionContext, name: string): boolean {
  return eventingFeatures(context.config?.('config-features')).get(name) === 'Enabled';
}
