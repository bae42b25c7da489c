import type { ConfigData, ConfigResult } from '../../api/config-reader.ts';
import type { Reader } from '../../api/reconciler.ts';

export type { ConfigData } from '../../api/config-reader.ts';

/** A config map parsed once: the data object stays the same until the config map changes. */
export function parsedConfig<T>(name: string, parse: (data: ConfigData) => T): (world: Pick<Reader, 'config'>) => T {
  const parsed = new WeakMap<object, T>();
  return (world) => {
    const data = world.config(name);
    let config = parsed.get(data);
    if (config === undefined) {
      config = parse(data);
      parsed.set(data, config);
    }
    return config;
  };
}

/**
 * The parsed data, or what stands without any: data that cannot be read is refused at admission and does not arrive here, and a
 * reconciler has nothing better to go on.
 */
export function configOrDefault<T>(parse: (data: ConfigData | undefined) => ConfigResult<T>, data: ConfigData): T {
  const result = parse(data);
  if ('config' in result) return result.config;
  const fallback = parse({});
  if ('config' in fallback) return fallback.config;
  throw new Error(fallback.error);
}

/** Go's ParseBool; anything else is false. */
export function isTrueText(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}
