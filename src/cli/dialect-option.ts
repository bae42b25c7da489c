import { KnativeError } from '../errors.ts';
import { dialects } from '../host/dialects/dialects.ts';
import type { DialectName } from '../host/dialects/dialect.ts';

/** Names that `--dialect` takes. */
export const dialectNames: readonly string[] = ['knative', ...dialects.map(({ name }) => name)];

/** The value of `--dialect`; `undefined` lets the manifests decide. Throws `CLI_UNKNOWN_DIALECT`. */
export function dialectOption(value: unknown): DialectName | 'knative' | undefined {
  if (value === undefined) return undefined;
  if (value === 'knative') return 'knative';
  const found = dialects.find(({ name }) => name === value);
  if (found !== undefined) return found.name;
  throw new KnativeError('CLI_UNKNOWN_DIALECT', `no dialect is called ${JSON.stringify(value)}`, {
    path: '--dialect',
    hint: `use one of ${dialectNames.join(', ')}`,
  });
}
