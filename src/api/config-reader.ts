import { formatQuantity, parseQuantity } from '../quantity.ts';
import { parseGoBool, parseGoDurationValue, parseGoInt } from './autoscaling/go-values.ts';
import { TemplateError } from './go-template.ts';

/** A parsed config map, or what upstream says about it. */
export type ConfigResult<T> = { readonly config: T } | { readonly error: string };

/** Data of a config map. */
export type ConfigData = Readonly<Record<string, string>>;

/** What is wrong with a config map; becomes the `error` of the result. */
export class ConfigFault extends Error {}

/** Reads values of a config map by key, as `configmap.Parse` of knative.dev/pkg: an absent key leaves the given value. */
export interface ConfigReader {
  readonly data: ConfigData;
  /** Without spaces around it. */
  text(key: string, otherwise: string): string;
  /** As it stands. */
  raw(key: string, otherwise: string): string;
  boolean(key: string, otherwise: boolean): boolean;
  /** 64-bit integer. */
  integer(key: string, otherwise: number): number;
  /** Milliseconds of a Go duration. */
  durationMs(key: string, otherwise: number): number;
  /** Canonical text of a quantity. */
  quantity(key: string, otherwise: string | undefined): string | undefined;
  /** Texts separated by commas, trimmed. */
  set(key: string, otherwise: readonly string[]): readonly string[];
}

/** Runs a parser over the data; a `ConfigFault` or template error that it throws becomes the result. */
export function readConfig<T>(data: ConfigData | undefined, parse: (reader: ConfigReader) => T): ConfigResult<T> {
  try {
    return { config: parse(readerOf(data ?? {})) };
  } catch (error) {
    if (error instanceof ConfigFault || error instanceof TemplateError) return { error: error.message };
    throw error;
  }
}

function readerOf(data: ConfigData): ConfigReader {
  const valueOf = (key: string): string | undefined => (Object.hasOwn(data, key) ? data[key] : undefined);
  return {
    data,
    text: (key, otherwise) => valueOf(key)?.trim() ?? otherwise,
    raw: (key, otherwise) => valueOf(key) ?? otherwise,
    boolean(key, otherwise) {
      const text = valueOf(key);
      if (text === undefined) return otherwise;
      const parsed = parseGoBool(text);
      if ('error' in parsed) throw numberFault(key, 'ParseBool', text, parsed.error);
      return parsed.value;
    },
    integer(key, otherwise) {
      const text = valueOf(key);
      if (text === undefined) return otherwise;
      const parsed = parseGoInt(text, 64);
      if ('error' in parsed) throw numberFault(key, 'ParseInt', text, parsed.error);
      return parsed.value;
    },
    durationMs(key, otherwise) {
      const text = valueOf(key);
      if (text === undefined) return otherwise;
      const parsed = parseGoDurationValue(text);
      if ('error' in parsed) throw new ConfigFault(`failed to parse ${JSON.stringify(key)}: ${parsed.error}`);
      return parsed.ms;
    },
    quantity(key, otherwise) {
      const text = valueOf(key);
      if (text === undefined) return otherwise;
      const parsed = parseQuantity(text);
      if (parsed === undefined) throw new ConfigFault(`failed to parse ${JSON.stringify(key)}: ${quantityProblem(text)}`);
      return formatQuantity(parsed);
    },
    set: (key, otherwise) =>
      valueOf(key)
        ?.split(',')
        .map((item) => item.trim()) ?? otherwise,
  };
}

function numberFault(key: string, call: string, text: string, problem: 'syntax' | 'range'): ConfigFault {
  const reason = problem === 'syntax' ? 'invalid syntax' : 'value out of range';
  return new ConfigFault(`failed to parse ${JSON.stringify(key)}: strconv.${call}: parsing ${JSON.stringify(text)}: ${reason}`);
}

/** What Kubernetes says about a text that is not a quantity. */
export function quantityProblem(text: string): string {
  if (text === '') return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  // Digits may be missing: what is left then is an unknown suffix.
  if (/^[+-]?[0-9]*(\.[0-9]*)?[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)) return "unable to parse quantity's suffix";
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}
