import { ConfigFault } from './config-reader.ts';
import type { SmallYaml } from './small-yaml.ts';

/** Decoding of YAML in config maps into the types that upstream has for it, with Go's words for what does not fit. */
export interface YamlMap {
  readonly [key: string]: SmallYaml;
}

export function isMap(value: SmallYaml): value is YamlMap {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A field by its name, in any case as Go reads it; the last one wins. */
export function fieldOf(map: YamlMap, name: string): SmallYaml {
  const lower = name.toLowerCase();
  const key = Object.keys(map).findLast((candidate) => candidate.toLowerCase() === lower);
  return key === undefined ? undefined : map[key];
}

/** The fault of a value that does not fit; `where` is Go's name for the target (`value of type X`, `struct field X.y of type Z`). */
export function cannotUnmarshal(value: SmallYaml, where: string): ConfigFault {
  return new ConfigFault(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindOf(value)} into Go ${where}`,
  );
}

function kindOf(value: SmallYaml): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'string') return 'object';
  if (/^(true|false|yes|no|on|off|y|n)$/i.test(value)) return 'bool';
  return /^[-+]?(\d[\d_]*(\.\d*)?([eE][-+]?\d+)?|\.\d+)$/.test(value) ? 'number' : 'string';
}

/** The map of a value, empty for an absent one. */
export function mapOf(value: SmallYaml, where: string): YamlMap {
  if (value === undefined) return {};
  if (!isMap(value)) throw cannotUnmarshal(value, where);
  return value;
}

/** A text; numbers and flags are read as the texts that they were written with, an absent one as `''`. */
export function textOf(value: SmallYaml, field: string): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw cannotUnmarshal(value, `${field} of type string`);
  return value;
}

/** A map from text to text. `field` is Go's name of the field (`struct field X.y`). */
export function textMap(value: SmallYaml, field = 'value'): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [key, item] of Object.entries(mapOf(value, `${field} of type map[string]string`))) result[key] = textOf(item, field);
  return result;
}
