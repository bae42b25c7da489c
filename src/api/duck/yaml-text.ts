/** A value read from YAML text, or why it is none. */
export type YamlValue = { readonly value: unknown } | { readonly error: string };

interface YamlPackage {
  parse(text: string, options: { readonly version: '1.1'; readonly schema: 'yaml-1.1' }): unknown;
}

let loaded: YamlPackage | undefined;

/**
 * Reads YAML 1.1, as the values of Knative's config maps are written. Admission is synchronous and config maps of this kind are rare, so the
 * parser is loaded here, at first use, and not with the module.
 */
export function parseYamlText(text: string): YamlValue {
  try {
    loaded ??= process.getBuiltinModule('node:module').createRequire(import.meta.url)('yaml') as YamlPackage;
    return { value: loaded.parse(text, { version: '1.1', schema: 'yaml-1.1' }) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
