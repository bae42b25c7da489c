import { textAt, textEntries, valueAt } from '../dialects/json-path.ts';
import { configProblem } from '../../api/config-maps.ts';

const systemNamespaces: readonly (string | undefined)[] = ['knative-serving', 'knative-eventing'];

/** What is wrong with a config map that configures Knative, as upstream's webhook says it; `undefined` for a good or another one. */
export function configMapProblem(configMap: unknown): string | undefined {
  if (!systemNamespaces.includes(textAt(configMap, 'metadata', 'namespace'))) return undefined;
  const data: Record<string, string> = {};
  for (const [key, value] of textEntries(valueAt(configMap, 'data'))) data[key] = value;
  return configProblem(textAt(configMap, 'metadata', 'name') ?? '', data);
}
