import { parseDomainConfig } from '../../api/serving/config-domain.ts';
import { clusterServiceDomain, labelKeys, visibilityClusterLocal } from '../keys.ts';
import type { StringMap } from '../metadata.ts';
import { configOrDefault, parsedConfig, type ConfigData } from './read.ts';
import { makeSelection, mostSpecific, type Selection } from './selection.ts';

/** `config-domain`: which domain the objects of which labels get. `svc.cluster.local` keeps them inside of the cluster. */
export interface DomainConfig {
  readonly domains: readonly Selection[];
}

export const domainConfig = parsedConfig('config-domain', makeDomainConfig);

export function makeDomainConfig(data: ConfigData): DomainConfig {
  const { domains } = configOrDefault(parseDomainConfig, data);
  return { domains: Object.entries(domains).map(([name, { selector }]) => makeSelection(name, selector)) };
}

/** The domain for labels: the most specific selector that matches, then the first by name. */
export function domainForLabels(config: DomainConfig, labels: StringMap | undefined): string {
  if (labels?.[labelKeys.visibility] === visibilityClusterLocal) return clusterServiceDomain;
  return mostSpecific(config.domains, labels) ?? '';
}
