import { parseAutoscalerConfig } from './autoscaling/config-autoscaler.ts';
import type { ConfigData, ConfigResult } from './config-reader.ts';
import { parseNetworkConfig } from './networking/config-network.ts';
import { parseDefaultsConfig } from './serving/config-defaults.ts';
import { parseDeploymentConfig } from './serving/config-deployment.ts';
import { parseDomainConfig } from './serving/config-domain.ts';
import { parseFeaturesConfig } from './serving/config-features.ts';
import { parseGarbageCollectionConfig } from './serving/config-gc.ts';

const parsers: Readonly<Record<string, (data: ConfigData) => ConfigResult<unknown>>> = {
  'config-autoscaler': parseAutoscalerConfig,
  'config-defaults': parseDefaultsConfig,
  'config-deployment': parseDeploymentConfig,
  'config-domain': parseDomainConfig,
  'config-features': parseFeaturesConfig,
  'config-gc': parseGarbageCollectionConfig,
  'config-network': parseNetworkConfig,
};

/**
 * What upstream says about the data of a config map by its name, `undefined` for valid data and for names that serving does not
 * know. A deployment map without a queue-proxy image is fine here: there is no such image.
 */
export function configProblem(name: string, data: ConfigData): string | undefined {
  const parse = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (parse === undefined) return undefined;
  const result = parse(name === 'config-deployment' ? { 'queue-sidecar-image': 'built-in', ...data } : data);
  return 'error' in result ? result.error : undefined;
}
