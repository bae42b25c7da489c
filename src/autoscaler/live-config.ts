import { defaultAutoscalerConfig, parseAutoscalerConfig, type AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import { parseGoDurationValue } from '../api/autoscaling/go-values.ts';

const progressDeadlineDefaultMs = 600_000;

const parsedConfigs = new WeakMap<Readonly<Record<string, string>>, AutoscalerConfig>();

/** The parsed config map; what cannot be parsed never gets here, since admission refuses it, so defaults stand in. */
export function autoscalerConfigOf(data: Readonly<Record<string, string>>): AutoscalerConfig {
  const known = parsedConfigs.get(data);
  if (known !== undefined) return known;
  const parsed = parseAutoscalerConfig(data);
  const config = 'config' in parsed ? parsed.config : defaultAutoscalerConfig();
  parsedConfigs.set(data, config);
  return config;
}

/** `progress-deadline` of `config-deployment`, ten minutes without one. */
export function progressDeadlineMs(configDeployment: Readonly<Record<string, string>>): number {
  const text = configDeployment['progress-deadline'];
  const parsed = text === undefined ? undefined : parseGoDurationValue(text);
  return parsed !== undefined && 'ms' in parsed ? parsed.ms : progressDeadlineDefaultMs;
}
