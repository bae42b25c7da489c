import { parseGoDuration } from '../../duration.ts';
import { integerOf, parsedConfig, type ConfigData } from './read.ts';

/** `config-gc`. `undefined` stands for `disabled`. */
export interface GarbageCollectionConfig {
  /** `retain-since-create-time`, 48 h. */
  readonly retainSinceCreateMs: number | undefined;
  /** `retain-since-last-active-time`, 15 h. */
  readonly retainSinceLastActiveMs: number | undefined;
  /** `min-non-active-revisions`, 20. */
  readonly minNonActiveRevisions: number;
  /** `max-non-active-revisions`, 1000. */
  readonly maxNonActiveRevisions: number | undefined;
}

export const garbageCollectionConfig = parsedConfig('config-gc', parseGarbageCollectionConfig);

export function parseGarbageCollectionConfig(data: ConfigData): GarbageCollectionConfig {
  const orDisabled = (
    text: string | undefined,
    fallback: number,
    parse: (text: string) => number | undefined,
  ): number | undefined => {
    if (text === undefined || text === '') return fallback;
    return text.toLowerCase() === 'disabled' ? undefined : (parse(text) ?? fallback);
  };
  return {
    retainSinceCreateMs: orDisabled(data['retain-since-create-time'], 48 * 3_600_000, parseGoDuration),
    retainSinceLastActiveMs: orDisabled(data['retain-since-last-active-time'], 15 * 3_600_000, parseGoDuration),
    minNonActiveRevisions: integerOf(data['min-non-active-revisions'], 20),
    maxNonActiveRevisions: orDisabled(data['max-non-active-revisions'], 1_000, (text) => integerOf(text, 1_000)),
  };
}
