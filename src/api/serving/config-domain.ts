import { ConfigFault, readConfig, type ConfigData, type ConfigResult } from '../config-reader.ts';
import { parseSmallYaml, type SmallYaml } from '../small-yaml.ts';

/** `config-domain`, parsed: which domain the Routes with which labels get. */
export interface DomainConfig {
  readonly domains: Readonly<Record<string, { readonly selector: Readonly<Record<string, string>>; readonly type: string }>>;
}

/** The domain of last resort: addresses inside of the cluster. */
const clusterDomain = 'svc.cluster.local';

/**
 * Parses the data of `config-domain`. Without a domain that takes all labels, `svc.cluster.local` is added.
 * Source: knative/serving pkg/reconciler/route/config/domain.go.
 */
export function parseDomainConfig(data: ConfigData | undefined): ConfigResult<DomainConfig> {
  return readConfig(data, (read) => {
    const domains: Record<string, { selector: Readonly<Record<string, string>>; type: string }> = {};
    let hasDefault = false;
    for (const [domain, text] of Object.entries(read.data)) {
      if (domain === '_example') continue;
      const value = parseSmallYaml(text);
      const selector = textMap(isMap(value) ? value['selector'] : undefined);
      const isDefault = Object.keys(selector).length === 0;
      hasDefault ||= isDefault;
      const type = isMap(value) && typeof value['type'] === 'string' ? value['type'] : '';
      domains[domain] = { selector, type: isDefault ? 'wildcard' : type };
    }
    if (!hasDefault) domains[clusterDomain] = { selector: {}, type: 'wildcard' };
    return { domains };
  });
}

export function isMap(value: SmallYaml): value is { readonly [key: string]: SmallYaml } {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A map from text to text, as Go would decode it. */
export function textMap(value: SmallYaml): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isMap(value)) throw new ConfigFault('error unmarshaling JSON: a map of texts is expected');
  const result: Record<string, string> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined && typeof item !== 'string')
      throw new ConfigFault('error unmarshaling JSON: a map of texts is expected');
    result[key] = item ?? '';
  }
  return result;
}
