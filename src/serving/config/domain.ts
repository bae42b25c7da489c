import { clusterServiceDomain, labelKeys, visibilityClusterLocal } from '../keys.ts';
import type { StringMap } from '../metadata.ts';
import { parsedConfig, type ConfigData } from './read.ts';
import { readSelectors, type LabelSelection } from './selector.ts';

/** `config-domain`: which domain the objects of which labels get. */
export interface DomainConfig {
  /** Without a domain that has no selector, `svc.cluster.local` is the one: Services are cluster-local then. */
  readonly domains: readonly { readonly domain: string; readonly selector: StringMap }[];
}

export const domainConfig = parsedConfig('config-domain', parseDomainConfig);

export function parseDomainConfig(data: ConfigData): DomainConfig {
  const domains: LabelSelection[] = [];
  for (const [domain, text] of Object.entries(data)) {
    if (domain !== '_example') domains.push({ name: domain, selector: readSelectors(text)['selector'] ?? {} });
  }
  if (!domains.some(({ selector }) => Object.keys(selector).length === 0)) {
    domains.push({ name: clusterServiceDomain, selector: {} });
  }
  return { domains: domains.map(({ name, selector }) => ({ domain: name, selector })) };
}

/** The domain for labels: the most specific selector that matches, then the first by name. */
export function domainForLabels(config: DomainConfig, labels: StringMap | undefined): string {
  if (labels?.[labelKeys.visibility] === visibilityClusterLocal) return clusterServiceDomain;
  let found = '';
  let specificity = -1;
  for (const { domain, selector } of config.domains) {
    const keys = Object.keys(selector);
    if (keys.length < specificity || keys.some((key) => labels?.[key] !== selector[key])) continue;
    if (keys.length > specificity || domain < found) {
      found = domain;
      specificity = keys.length;
    }
  }
  return found;
}
