import { readConfig, type ConfigData, type ConfigResult } from '../config-reader.ts';
import { parseSmallYaml } from '../small-yaml.ts';
import { fieldOf, mapOf, textMap, textOf } from '../yaml-values.ts';

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
      const value = mapOf(parseSmallYaml(text), 'value of type config.domainInternalConfig');
      const selector = textMap(fieldOf(value, 'selector'), 'struct field domainInternalConfig.selector');
      const isDefault = Object.keys(selector).length === 0;
      hasDefault ||= isDefault;
      const type = textOf(fieldOf(value, 'type'), 'struct field domainInternalConfig.type');
      domains[domain] = { selector, type: isDefault ? 'wildcard' : type };
    }
    if (!hasDefault) domains[clusterDomain] = { selector: {}, type: 'wildcard' };
    return { domains };
  });
}
