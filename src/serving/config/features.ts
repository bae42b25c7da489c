import { parseFeaturesConfig } from '../../api/serving/config-features.ts';
import { configOrDefault, parsedConfig } from './read.ts';

export { type FeaturesConfig } from '../../api/serving/config-features.ts';

export const featuresConfig = parsedConfig('config-features', (data) => configOrDefault(parseFeaturesConfig, data));
