import { ConfigFault, readConfig, type ConfigData, type ConfigResult } from '../../api/config-reader.ts';
import { dns1123SubdomainProblems } from '../../api/names.ts';
import { isMap, textMap } from '../../api/yaml-values.ts';
import { parseSmallYaml, type SmallYaml } from '../../api/small-yaml.ts';
import { clusterServiceDomain } from '../keys.ts';
import type { StringMap } from '../metadata.ts';
import { systemNamespace } from '../resources/queue-proxy.ts';
import { isList } from './gateway-api-config.ts';

interface LabelRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** Which Ingresses a Gateway is for; `undefined`: those that no other Gateway's selector takes. */
export interface GatewaySelector {
  readonly matchLabels: StringMap;
  readonly matchExpressions: readonly LabelRequirement[];
}

/** A Gateway of Istio with the service in front of it. */
export interface IstioGatewayEntry {
  readonly namespace: string;
  readonly name: string;
  /** DNS name of the service. */
  readonly service: string;
  readonly selector: GatewaySelector | undefined;
}

/** `config-istio`. Without any Gateway, only the mesh routes. */
export interface IstioConfig {
  readonly external: readonly IstioGatewayEntry[];
  readonly local: readonly IstioGatewayEntry[];
}

const defaults: IstioConfig = {
  external: [defaultGateway('knative-ingress-gateway', 'istio-ingressgateway')],
  local: [defaultGateway('knative-local-gateway', 'knative-local-gateway')],
};

function defaultGateway(name: string, service: string): IstioGatewayEntry {
  return { namespace: systemNamespace, name, service: `${service}.istio-system.${clusterServiceDomain}`, selector: undefined };
}

/** Parses `config-istio` in its two spellings. Source: net-istio pkg/reconciler/ingress/config/istio.go. */
export function parseIstioConfig(data: ConfigData | undefined): ConfigResult<IstioConfig> {
  return readConfig(data, (read) => {
    const keys = Object.keys(read.data);
    const isNew = keys.includes('external-gateways') || keys.includes('local-gateways');
    const isOld = keys.some((key) => key.startsWith('gateway.') || key.startsWith('local-gateway.'));
    if (isNew && isOld) {
      throw new ConfigFault(
        'invalid configmap: "local-gateways" or "external-gateways" can not be defined simultaneously with "gateway." or "local-gateway."',
      );
    }
    const config = isNew ? readNew(read.data) : isOld ? readOld(read.data) : defaults;
    for (const gateway of config.external) validate(gateway, 'gateway');
    for (const gateway of config.local) validate(gateway, 'local gateway');
    return config;
  });
}

function readNew(data: ConfigData): IstioConfig {
  try {
    const external = readList(data, 'external-gateways') ?? defaults.external;
    const local = readList(data, 'local-gateways') ?? defaults.local;
    mustHaveOneDefault(external, 'external');
    mustHaveOneDefault(local, 'local');
    return { external, local };
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new ConfigFault(`failed to parse configmap: ${error.message}`);
  }
}

function readList(data: ConfigData, key: string): readonly IstioGatewayEntry[] | undefined {
  const text = data[key] ?? '';
  if (text.trim() === '') return undefined;
  try {
    const value = parseSmallYaml(text);
    if (value === undefined) return [];
    if (!isList(value)) throw new ConfigFault('error unmarshaling JSON: expected a list of gateways');
    return value.map(readEntry);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new ConfigFault(`failed to parse "${key}" gateways: failed to unmarshal: ${error.message}`);
  }
}

function readEntry(value: SmallYaml): IstioGatewayEntry {
  const entry = isMap(value) ? value : {};
  const text = (name: string): string => {
    const field = entry[name];
    return typeof field === 'string' ? field : '';
  };
  const selector = entry['labelSelector'];
  return {
    namespace: text('namespace'),
    name: text('name'),
    service: text('service'),
    selector: selector === undefined ? undefined : readSelector(selector),
  };
}

function readSelector(value: SmallYaml): GatewaySelector {
  const selector = isMap(value) ? value : {};
  const expressions = selector['matchExpressions'];
  return {
    matchLabels: textMap(selector['matchLabels']),
    matchExpressions: (expressions !== undefined && isList(expressions) ? expressions : []).filter(isMap).map((item) => ({
      key: String(item['key'] ?? ''),
      operator: String(item['operator'] ?? ''),
      values: item['values'] !== undefined && isList(item['values']) ? item['values'].map(String) : [],
    })),
  };
}

/** A list that is not empty needs one Gateway for everything that no selector takes. */
function mustHaveOneDefault(gateways: readonly IstioGatewayEntry[], what: string): void {
  const found = gateways.filter(({ selector }) => selector === undefined);
  if (gateways.length === 0 || found.length === 1) return;
  const shown = found.map(({ namespace, name, service }) => `{${namespace} ${name} ${service} <nil>}`).join(' ');
  throw new ConfigFault(`exactly one ${what} gateway with no selector can be defined, here: [${shown}]`);
}

function readOld(data: ConfigData): IstioConfig {
  const read = (prefix: string, fallback: readonly IstioGatewayEntry[]): readonly IstioGatewayEntry[] => {
    const found = Object.keys(data)
      .filter((key) => key.startsWith(prefix) && key !== prefix)
      .sort()
      .map((key): IstioGatewayEntry => {
        const full = key.slice(prefix.length);
        const dot = full.indexOf('.');
        return {
          namespace: dot < 0 ? systemNamespace : full.slice(0, dot),
          name: full.slice(dot + 1),
          service: data[key] ?? '',
          selector: undefined,
        };
      });
    return found.length === 0 ? fallback : found;
  };
  return { external: read('gateway.', defaults.external), local: read('local-gateway.', defaults.local) };
}

function validate({ namespace, name, service }: IstioGatewayEntry, what: string): void {
  const fail = (problem: string): never => {
    throw new ConfigFault(`invalid configuration: invalid ${what} ${namespace}/${name}: ${problem}`);
  };
  if (namespace === '') fail('missing namespace');
  if (name === '') fail('missing name');
  if (service === '') fail('missing service');
  const problems = dns1123SubdomainProblems(service.replace(/\.$/, ''));
  if (problems.length > 0) fail(`invalid gateway service format: [${problems.join(' ')}]`);
}

/** The Gateways for an Ingress: those whose selector takes its labels, else the ones without a selector. */
export function gatewaysFor(gateways: readonly IstioGatewayEntry[], labels: StringMap | undefined): readonly IstioGatewayEntry[] {
  const selected = gateways.filter(({ selector }) => selector !== undefined && matches(selector, labels ?? {}));
  return selected.length > 0 ? selected : gateways.filter(({ selector }) => selector === undefined);
}

function matches({ matchLabels, matchExpressions }: GatewaySelector, labels: StringMap): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'NotIn' ? !isIn : isIn;
    })
  );
}
