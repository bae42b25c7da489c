import { parseGarbageCollectionConfig } from '../../api/serving/config-gc.ts';
import { configOrDefault, parsedConfig } from './read.ts';

export { type GarbageCollectionConfig } from '../../api/serving/config-gc.ts';

export const garbageCollectionConfig = parsedConfig('config-gc', (data) => configOrDefault(parseGarbageCollectionConfig, data));
