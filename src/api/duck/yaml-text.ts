import { KnativeError, messageOf } from '../../errors.ts';
import { loadPackage } from '../../load-package.ts';

/** A value read from YAML text, or why it is none. */
export type YamlValue = { readonly value: unknown } | { readonly error: string };

interface YamlPackage {
  parse(text: string, options: { readonly version: '1.1'; readonly schema: 'yaml-1.1' }): unknown;
}

let loaded: YamlPackage | undefined;
/** The text read last with its value: admission asks for the same few config maps over and over. */
let last: { readonly text: string; readonly result: YamlValue } | undefined;

/**
 * Reads YAML 1.1, as the values of Knative's config maps are written. Admission is synchronous and config maps of this kind are rare, so the
 * parser is loaded here, at first use, and not with the module. The value is shared and must not be changed.
 */
export function parseYamlText(text: string): YamlValue {
  if (last?.text !== text) last = { text, result: read(text) };
  return last.result;
}

function read(text: string): YamlValue {
  loaded ??= loadYaml();
  try {
    return { value: loaded.parse(text, { version: '1.1', schema: 'yaml-1.1' }) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function loadYaml(): YamlPackage {
  const loadedPackage = loadPackage('yaml');
  if (!isYamlPackage(loadedPackage)) throw new KnativeError('API_YAML_PACKAGE', 'the package "yaml" has no parse function');
  return loadedPackage;
}

function isYamlPackage(value: unknown): value is YamlPackage {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'parse') === 'function';
}
