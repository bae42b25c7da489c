import { parseDefaultsConfig } from '../../api/serving/config-defaults.ts';
import { configOrDefault, parsedConfig } from './read.ts';

export { type DefaultsConfig } from '../../api/serving/config-defaults.ts';

export const defaultsConfig = parsedConfig('config-defaults', (data) => configOrDefault(parseDefaultsConfig, data));
