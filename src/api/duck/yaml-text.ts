import { KnativeError, messageOf } from '../../errors.ts';
import { loadPackage } from '../../load-package.ts';

/** A value read from YAML text, or why it is none. */
export type YamlValue = { readonly value: unknown } | { readonly error: string };

interface YamlPackage {
  parse(text: string, options: typeof asInGo): unknown;
}

// Go's parser lets the last of several equal keys win.
const asInGo = { version: '1.1', schema: 'yaml-1.1', uniqueKeys: false } as const;

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
  if (/^[ \n]*\t/.test(text)) return { error: 'found character that cannot start any token' };
  try {
    return { value: loaded.parse(firstBlock(text), asInGo) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

// Go's parser reads one document: to it a text that begins indented ends before the first line that is less so.
function firstBlock(text: string): string {
  const indent = /^(?:[ \t]*(?:#.*)?\n)*( +)[^ \n#]/.exec(text)?.[1]?.length ?? 0;
  if (indent === 0) return text;
  const end = new RegExp(`(?<=[^ \\n#].*)\\n(?= {0,${indent - 1}}[^ \\n#])`).exec(text);
  return end === null ? text : text.slice(0, end.index + 1);
}

function loadYaml(): YamlPackage {
  const loadedPackage = loadPackage('yaml');
  if (!isYamlPackage(loadedPackage)) throw new KnativeError('API_YAML_PACKAGE', 'the package "yaml" has no parse function');
  return loadedPackage;
}

function isYamlPackage(value: unknown): value is YamlPackage {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'parse') === 'function';
}
