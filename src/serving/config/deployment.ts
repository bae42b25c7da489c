import { parseDeploymentConfig, type DeploymentConfig as ParsedConfig } from '../../api/serving/config-deployment.ts';
import { parseQuantity, type Quantity } from '../../quantity.ts';
import { configOrDefault, parsedConfig, type ConfigData } from './read.ts';
import { makeSelection, type Selection } from './selection.ts';

/** Resources of the queue-proxy by name; `undefined`: not set. */
export interface QueueSidecarResources {
  readonly cpu: Quantity | undefined;
  readonly memory: Quantity | undefined;
  readonly ephemeralStorage: Quantity | undefined;
}

/** `config-deployment` with what is needed for each revision made ready. */
export interface DeploymentConfig extends ParsedConfig {
  readonly queueSidecarRequests: QueueSidecarResources;
  readonly queueSidecarLimits: QueueSidecarResources;
  readonly runtimeClasses: readonly Selection[];
}

export const deploymentConfig = parsedConfig('config-deployment', makeDeploymentConfig);

export function makeDeploymentConfig(data: ConfigData): DeploymentConfig {
  // Upstream refuses the map without an image; a host needs none, and a cluster's map always names one.
  const config = configOrDefault((given) => parseDeploymentConfig({ 'queue-sidecar-image': unnamedImage, ...given }), data);
  const quantity = (text: string | undefined): Quantity | undefined => (text === undefined ? undefined : parseQuantity(text));
  return {
    ...config,
    queueSidecarImage: config.queueSidecarImage === unnamedImage ? '' : config.queueSidecarImage,
    queueSidecarRequests: {
      cpu: quantity(config.queueSidecarCPURequest),
      memory: quantity(config.queueSidecarMemoryRequest),
      ephemeralStorage: quantity(config.queueSidecarEphemeralStorageRequest),
    },
    queueSidecarLimits: {
      cpu: quantity(config.queueSidecarCPULimit),
      memory: quantity(config.queueSidecarMemoryLimit),
      ephemeralStorage: quantity(config.queueSidecarEphemeralStorageLimit),
    },
    runtimeClasses: Object.entries(config.runtimeClassNames ?? {}).map(([name, selector]) => makeSelection(name, selector)),
  };
}

const unnamedImage = 'unnamed';
