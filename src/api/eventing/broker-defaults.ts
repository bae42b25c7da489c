import type { DeliverySpec } from '../duck/delivery-spec.ts';
import type { KReference } from '../duck/destination.ts';
import { parseYamlText } from '../duck/yaml-text.ts';
import type { AdmissionContext } from '../kind.ts';

/** What config map `config-br-defaults` gives a class of brokers. */
export interface BrokerConfig {
  readonly config: KReference | undefined;
  readonly delivery: DeliverySpec | undefined;
}

interface ScopeDefaults {
  readonly brokerClass: string;
  /** The configuration that stands beside the class; `undefined` when there is none. */
  readonly own: BrokerConfig | undefined;
  readonly classes: ReadonlyMap<string, BrokerConfig>;
  readonly disallowDifferentNamespace: boolean;
}

/** The defaults of the cluster and of single namespaces. */
export interface BrokerDefaults {
  readonly cluster: ScopeDefaults | undefined;
  readonly namespaces: ReadonlyMap<string, ScopeDefaults>;
}

/** Reads config map `config-br-defaults`; `undefined` when it is absent or is not valid. */
export function brokerDefaults(context: AdmissionContext): BrokerDefaults | undefined {
  const text = context.config?.('config-br-defaults')?.['default-br-config'];
  if (text === undefined || text === '') return undefined;
  const parsed = parseYamlText(text);
  if ('error' in parsed || !isRecord(parsed.value)) return undefined;
  const { clusterDefault, namespaceDefaults } = parsed.value;
  return {
    cluster: readScope(clusterDefault),
    namespaces: readEntries(namespaceDefaults, readScope),
  };
}

function readScope(value: unknown): ScopeDefaults | undefined {
  if (!isRecord(value)) return undefined;
  return {
    brokerClass: text(value['brokerClass']) ?? '',
    own: readConfig(value),
    classes: readEntries(value['brokerClasses'], readConfig),
    disallowDifferentNamespace: value['disallowDifferentNamespaceConfig'] === true,
  };
}

function readConfig(value: unknown): BrokerConfig | undefined {
  if (!isRecord(value)) return undefined;
  const config: KReference = {};
  for (const name of ['apiVersion', 'kind', 'name', 'namespace'] as const) {
    const field = text(value[name]);
    if (field !== undefined) config[name] = field;
  }
  const { delivery } = value;
  if (Object.keys(config).length === 0 && delivery === undefined) return undefined;
  return { config: Object.keys(config).length === 0 ? undefined : config, delivery: readDelivery(delivery) };
}

// Upstream takes over these four fields only.
function readDelivery(value: unknown): DeliverySpec | undefined {
  if (!isRecord(value)) return undefined;
  const { deadLetterSink, retry, backoffPolicy, backoffDelay } = value;
  return {
    ...(isRecord(deadLetterSink) ? { deadLetterSink } : {}),
    ...(typeof retry === 'number' ? { retry } : {}),
    ...(backoffPolicy === 'linear' || backoffPolicy === 'exponential' ? { backoffPolicy } : {}),
    ...(typeof backoffDelay === 'string' ? { backoffDelay } : {}),
  };
}

/** The configuration of a broker: of its class in its namespace, of its class in the cluster, or the cluster's own. */
export function brokerConfigOf(defaults: BrokerDefaults, namespace: string, brokerClass: string): BrokerConfig | undefined {
  const scope = defaults.namespaces.get(namespace);
  const wanted = brokerClass === '' ? (scope?.brokerClass ?? '') : brokerClass;
  if (scope !== undefined && wanted !== '') {
    const found = scope.classes.get(wanted) ?? (scope.brokerClass === wanted ? scope.own : undefined);
    if (found !== undefined) return found;
  }
  const { cluster } = defaults;
  return cluster?.own === undefined ? undefined : (cluster.classes.get(wanted) ?? cluster.own);
}

/** The class of brokers that name none. */
export function brokerClassOf(defaults: BrokerDefaults, namespace: string): string | undefined {
  return [defaults.namespaces.get(namespace)?.brokerClass, defaults.cluster?.brokerClass].find((name) => (name ?? '') !== '');
}

/** True when the references of a namespace's brokers may not leave it. */
export function mustStayInNamespace(defaults: BrokerDefaults, namespace: string): boolean {
  if (defaults.cluster === undefined && defaults.namespaces.size === 0) return false;
  return (
    defaults.namespaces.get(namespace)?.disallowDifferentNamespace === true ||
    defaults.cluster?.disallowDifferentNamespace === true
  );
}

function readEntries<T>(value: unknown, read: (entry: unknown) => T | undefined): ReadonlyMap<string, T> {
  const entries = new Map<string, T>();
  for (const [name, entry] of Object.entries(isRecord(value) ? value : {})) {
    const result = read(entry);
    if (result !== undefined) entries.set(name, result);
  }
  return entries;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
