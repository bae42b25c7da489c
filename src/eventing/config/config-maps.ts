import { eventingFeatures } from '../../api/duck/features.ts';
import { parseYamlText } from '../../api/duck/yaml-text.ts';
import { decodeGoJson, GoJsonError, type GoType } from './go-json.ts';

type Data = Readonly<Record<string, string>>;
export type ConfigOutcome = { readonly parsed: unknown } | { readonly error: string };

const string: GoType = { kind: 'string' };
const struct = (name: string, fields: Extract<GoType, { kind: 'struct' }>['fields']): GoType => ({
  kind: 'struct',
  name,
  fields,
});
const strings = (...names: string[]): { name: string; type: GoType }[] => names.map((name) => ({ name, type: string }));

const reference = struct('v1.KReference', [
  { name: 'kind', type: string, always: true },
  ...strings('namespace'),
  { name: 'name', type: string, always: true },
  ...strings('apiVersion', 'group', 'address'),
]);
const destination = struct('v1.Destination', [{ name: 'ref', type: reference }, ...strings('uri', 'CACerts', 'audience')]);
const delivery = struct('v1.DeliverySpec', [
  { name: 'deadLetterSink', type: destination },
  { name: 'retry', type: { kind: 'int32' } },
  ...strings('timeout', 'backoffPolicy', 'backoffDelay', 'retryAfterMax', 'format'),
]);
const brokerConfig = struct('config.BrokerConfig', [
  { name: 'KReference', type: reference, embedded: true },
  { name: 'delivery', type: delivery },
]);
const brokerDefault = struct('config.DefaultConfig', [
  { name: 'brokerClass', type: string },
  { name: 'BrokerConfig', type: brokerConfig, embedded: true },
  { name: 'brokerClasses', type: { kind: 'map', name: 'map[string]*config.BrokerConfig', of: brokerConfig } },
  { name: 'disallowDifferentNamespaceConfig', type: { kind: 'bool' } },
]);
const channelTemplate = struct('config.ChannelTemplateSpec', [
  { name: 'TypeMeta', type: struct('v1.TypeMeta', strings('kind', 'apiVersion')), embedded: true },
  { name: 'spec', type: { kind: 'any' } },
]);
const defaultsOf = (name: string, of: GoType & { name: string }): GoType =>
  struct(name, [
    { name: 'namespaceDefaults', type: { kind: 'map', name: `map[string]*${of.name}`, of } },
    { name: 'clusterDefault', type: of },
  ]);
const requirement = struct('v1.LabelSelectorRequirement', [
  { name: 'key', type: string, always: true },
  { name: 'operator', type: string, always: true },
  { name: 'values', type: { kind: 'list', name: '[]string', of: string } },
]);
const labelSelector = struct('v1.LabelSelector', [
  { name: 'matchLabels', type: { kind: 'map', name: 'map[string]string', of: string } },
  { name: 'matchExpressions', type: { kind: 'list', name: '[]v1.LabelSelectorRequirement', of: requirement } },
]);

const named = (type: GoType): GoType & { name: string } => {
  if ('name' in type) return type;
  throw new TypeError('the type has no name');
};

const parsers: Readonly<Record<string, (data: Data) => ConfigOutcome>> = {
  'config-features': (data) => ({ parsed: Object.fromEntries(eventingFeatures(data)) }),
  'config-br-defaults': (data) => entry(data, 'default-br-config', defaultsOf('config.Defaults', named(brokerDefault))),
  'default-ch-webhook': (data) => entry(data, 'default-ch-config', defaultsOf('config.ChannelDefaults', named(channelTemplate))),
  'config-ping-defaults': pingDefaults,
  'config-sugar': sugar,
};

/** Reads one of eventing's config maps as upstream does; errors have upstream's words. `undefined` for other names. */
export function parseEventingConfig(name: string, data: Data): ConfigOutcome | undefined {
  return Object.hasOwn(parsers, name) ? parsers[name]?.(data) : undefined;
}

function entry(data: Data, key: string, type: GoType): ConfigOutcome {
  const text = data[key];
  if (text === undefined || text === '') return { error: `ConfigMap is missing (or empty) key: "${key}" : ${goMap(data)}` };
  const yaml = parseYamlText(text);
  if ('error' in yaml) {
    return {
      error: `Failed to parse the entry: ConfigMap's value could not be converted to JSON: yaml: ${yaml.error} : ${text}`,
    };
  }
  return attempt(() => decodeGoJson(yaml.value, type) ?? {}, 'Failed to parse the entry: ');
}

function pingDefaults(data: Data): ConfigOutcome {
  const text = data['data-max-size'];
  if (text === undefined) return { parsed: { 'data-max-size': -1 } };
  const failed = (why: string): ConfigOutcome => ({
    error: `failed to parse "data-max-size": strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`,
  });
  if (!/^[+-]?\d+$/.test(text)) return failed('invalid syntax');
  const exact = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, exact) === exact ? { parsed: { 'data-max-size': Number(exact) } } : failed('value out of range');
}

function sugar(data: Data): ConfigOutcome {
  const parsed: Record<string, unknown> = {};
  for (const [name, key] of [
    ['NamespaceSelector', 'namespace-selector'],
    ['TriggerSelector', 'trigger-selector'],
  ] as const) {
    const text = data[key] ?? '';
    parsed[name] = null;
    if (text === '') continue;
    const yaml = parseYamlText(text);
    if ('error' in yaml) return { error: `error converting YAML to JSON: yaml: ${yaml.error}` };
    const outcome = attempt(
      () => decodeGoJson(yaml.value, labelSelector) ?? (yaml.value === null ? null : {}),
      'error unmarshaling JSON: while decoding JSON: ',
    );
    if ('error' in outcome) return outcome;
    parsed[name] = outcome.parsed;
  }
  return { parsed };
}

function attempt(decode: () => unknown, prefix: string): ConfigOutcome {
  try {
    return { parsed: decode() };
  } catch (error) {
    if (error instanceof GoJsonError) return { error: `${prefix}${error.message}` };
    throw error;
  }
}

/** A map as Go prints it. */
function goMap(data: Data): string {
  const entries = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, value]) => `${key}:${value}`).join(' ')}]`;
}
