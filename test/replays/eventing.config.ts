import { parseEventingConfig } from '../../src/eventing/config/config-maps.ts';
import type { FileReplay } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

/** What a YAML library says about a syntax error is its own. */
function shown(error: string): string {
  return /^.*?yaml: /s.exec(error)?.[0] ?? error;
}

/** config-parse.json: eventing's config maps. */
export const configParse: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const { config, data, parsed, error } = item;
    const expected = typeof error === 'string' ? { error: shown(error) } : { parsed };
    yield {
      file,
      id: item.id,
      expected,
      check(wanted) {
        const outcome = parseEventingConfig(String(config), data as Readonly<Record<string, string>>) ?? {
          error: 'unknown config map',
        };
        return differencesOf(wanted, 'error' in outcome ? { error: shown(outcome.error) } : outcome);
      },
    };
  }
};
