import {
  defaultAutoscalerConfig,
  parseAutoscalerConfig,
  type AutoscalerConfig,
} from '../../api/autoscaling/config-autoscaler.ts';
import type { Reader } from '../../api/reconciler.ts';
import { defaultsConfig, type DefaultsConfig } from '../config/defaults.ts';
import { deploymentConfig, type DeploymentConfig } from '../config/deployment.ts';
import { featuresConfig, type FeaturesConfig } from '../config/features.ts';
import { networkConfig, type NetworkConfig } from '../config/network.ts';
import { observabilityConfig, type ObservabilityConfig } from '../config/observability.ts';
import { parsedConfig, type ConfigData } from '../config/read.ts';

/** Everything in config maps that decides what a Revision's children look like. */
export interface RevisionConfig {
  readonly autoscaler: Pick<AutoscalerConfig, 'initialScale' | 'podAutoscalerClass'>;
  readonly defaults: DefaultsConfig;
  readonly deployment: DeploymentConfig;
  readonly features: FeaturesConfig;
  readonly logging: LoggingConfig;
  readonly network: NetworkConfig;
  readonly observability: ObservabilityConfig;
}

/** `config-logging` as the queue-proxy gets it. */
interface LoggingConfig {
  /** `zap-logger-config`. */
  readonly config: string;
  /** `loglevel.queueproxy`, '' when it is none of zap's levels. */
  readonly queueProxyLevel: string;
}

const zapLevels = new Set(['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal']);

const loggingConfig = parsedConfig('config-logging', (data: ConfigData): LoggingConfig => {
  const level = data['loglevel.queueproxy']?.toLowerCase() ?? '';
  return { config: data['zap-logger-config'] ?? '', queueProxyLevel: zapLevels.has(level) ? level : '' };
});

const autoscalerConfig = parsedConfig('config-autoscaler', (data) => {
  const parsed = parseAutoscalerConfig(data);
  return 'config' in parsed ? parsed.config : defaultAutoscalerConfig();
});

export function revisionConfig(world: Pick<Reader, 'config'>): RevisionConfig {
  return {
    autoscaler: autoscalerConfig(world),
    defaults: defaultsConfig(world),
    deployment: deploymentConfig(world),
    features: featuresConfig(world),
    logging: loggingConfig(world),
    network: networkConfig(world),
    observability: observabilityConfig(world),
  };
}
