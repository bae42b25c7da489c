import { parseGoDurationValue } from '../autoscaling/go-values.ts';
import { ConfigFault, readConfig, type ConfigData, type ConfigResult } from '../config-reader.ts';

/** `config-gc`, parsed: which Revisions without traffic are deleted. -1 stands for `disabled`. */
export interface GarbageCollectionConfig {
  /** 48 h. */
  readonly retainSinceCreateTimeMs: number;
  /** 15 h. */
  readonly retainSinceLastActiveTimeMs: number;
  /** 20. */
  readonly minNonActiveRevisions: number;
  /** 1000. */
  readonly maxNonActiveRevisions: number;
}

/** Parses the data of `config-gc`. Source: knative/serving pkg/gc/config.go. */
export function parseGarbageCollectionConfig(data: ConfigData | undefined): ConfigResult<GarbageCollectionConfig> {
  return readConfig(data, (read) => {
    let minNonActiveRevisions: number;
    try {
      minNonActiveRevisions = read.integer('min-non-active-revisions', 20);
    } catch (error) {
      if (error instanceof ConfigFault) throw new ConfigFault(`failed to parse data: ${error.message}`);
      throw error;
    }
    const config: GarbageCollectionConfig = {
      retainSinceCreateTimeMs: durationOrDisabled(
        'retain-since-create-time',
        read.text('retain-since-create-time', ''),
        172_800_000,
      ),
      retainSinceLastActiveTimeMs: durationOrDisabled(
        'retain-since-last-active-time',
        read.text('retain-since-last-active-time', ''),
        54_000_000,
      ),
      minNonActiveRevisions,
      maxNonActiveRevisions: countOrDisabled(read.text('max-non-active-revisions', ''), 1_000),
    };
    const { maxNonActiveRevisions: max } = config;
    // The text keeps what a number is too short for.
    const given = BigInt(read.text('min-non-active-revisions', '20').replace('+', ''));
    if (given < 0n) throw new ConfigFault(`min-non-active-revisions must be non-negative, was: ${given}`);
    if (max >= 0 && minNonActiveRevisions > max) {
      throw new ConfigFault(`min-non-active-revisions(${given}) must be <= max-non-active-revisions(${max})`);
    }
    return config;
  });
}

const isDisabled = (text: string): boolean => text.toLowerCase() === 'disabled';

function durationOrDisabled(key: string, text: string, otherwise: number): number {
  if (text === '') return otherwise;
  if (isDisabled(text)) return -1;
  const parsed = parseGoDurationValue(text);
  if ('error' in parsed) throw new ConfigFault(`failed to parse ${key}: ${parsed.error}`);
  if (parsed.ms < 0) throw new ConfigFault(`failed to parse ${key}: must be non-negative`);
  return parsed.ms;
}

const int64Max = 9_223_372_036_854_775_807n;

function countOrDisabled(text: string, otherwise: number): number {
  if (text === '') return otherwise;
  if (isDisabled(text)) return -1;
  const fault = (problem: string): ConfigFault => new ConfigFault(`failed to parse max-non-active-revisions: ${problem}`);
  if (!/^\d+$/.test(text)) throw fault(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (BigInt(text) >= 2n ** 64n) throw fault(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  if (BigInt(text) > int64Max) throw fault(`value should be lower than ${int64Max}`);
  return Number(text);
}
