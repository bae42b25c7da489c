import { defaultAutoscalerConfig, parseAutoscalerConfig, type AutoscalerConfig } from '../autoscaling/config-autoscaler.ts';
import { KnativeError } from '../../errors.ts';
import type { ConfigData, ConfigResult } from '../config-reader.ts';
import type { AdmissionContext } from '../kind.ts';
import { parseDefaultsConfig, type DefaultsConfig } from './config-defaults.ts';
import { parseFeaturesConfig, type FeaturesConfig } from './config-features.ts';

/** The config maps that defaulting and validating serving kinds look at. */
export interface ServingConfig {
  readonly defaults: DefaultsConfig;
  readonly features: FeaturesConfig;
  readonly autoscaler: AutoscalerConfig;
}

/**
 * The settings of an admission. Parsed once per data object, so a store that hands out the same object until the map changes makes
 * this a lookup. Throws `API_INVALID_CONFIG` for data that upstream would refuse; stores keep the last valid data.
 */
export function servingConfigOf(context: AdmissionContext): ServingConfig {
  const { config } = context;
  if (config === undefined) return unconfigured();
  return {
    defaults: defaultsOf(config('config-defaults')),
    features: featuresOf(config('config-features')),
    autoscaler: autoscalerOf(config('config-autoscaler')),
  };
}

let unconfiguredValue: ServingConfig | undefined;
const unconfigured = (): ServingConfig =>
  (unconfiguredValue ??= {
    defaults: defaultsOf(undefined),
    features: featuresOf(undefined),
    autoscaler: defaultAutoscalerConfig(),
  });

export const defaultsOf = parsedOnce('config-defaults', parseDefaultsConfig);
export const featuresOf = parsedOnce('config-features', parseFeaturesConfig);
export const autoscalerOf = parsedOnce('config-autoscaler', parseAutoscalerConfig);

/** A parser that remembers what it gave for a data object, and throws what upstream says about invalid data. */
export function parsedOnce<T>(
  name: string,
  parse: (data: ConfigData | undefined) => ConfigResult<T>,
): (data: ConfigData | undefined) => T {
  const known = new WeakMap<ConfigData, T>();
  let ofNothing: T | undefined;
  const parsed = (data: ConfigData | undefined): T => {
    const result = parse(data);
    if ('error' in result) throw new KnativeError('API_INVALID_CONFIG', `${name}: ${result.error}`, { path: name });
    return result.config;
  };
  return (data) => {
    if (data === undefined) return (ofNothing ??= parsed(undefined));
    let value = known.get(data);
    if (value === undefined) known.set(data, (value = parsed(data)));
    return value;
  };
}
