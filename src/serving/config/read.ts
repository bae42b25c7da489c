import type { Reader } from '../../api/reconciler.ts';

export type ConfigData = Readonly<Record<string, string>>;

/**
 * A parser of a config map's data that keeps its last results: the data object stays the same until the config map changes. Data
 * that is refused at admission never arrives here; a value that cannot be read keeps its default.
 */
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

/** The value of the first key that is there: newer spellings come first. */
export function textOf(data: ConfigData, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = data[key];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Go's ParseBool; anything else is `fallback`. */
export function booleanOf(text: string | undefined, fallback: boolean): boolean {
  if (text === undefined) return fallback;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : fallback;
}

export function integerOf(text: string | undefined, fallback: number): number {
  return text !== undefined && /^[+-]?\d+$/.test(text.trim()) ? Number(text) : fallback;
}

/** Items of a comma-separated list, trimmed. */
export function setOf(text: string | undefined, fallback: readonly string[]): readonly string[] {
  if (text === undefined) return fallback;
  return [...new Set(text.split(',').map((item) => item.trim()))];
}
