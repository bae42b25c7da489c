import { ConfigFault, readConfig, type ConfigData, type ConfigResult } from '../../api/config-reader.ts';
import { isMap } from '../../api/yaml-values.ts';
import { parseSmallYaml, type SmallYaml } from '../../api/small-yaml.ts';
import { isTrueText } from '../config/read.ts';

interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** A Gateway that routes attach to. */
export interface GatewayEntry extends ObjectName {
  readonly class: string;
  /** Where requests arrive; without it the Gateway's own address counts. */
  readonly service: ObjectName | undefined;
  /** Features of the Gateway API beyond its core. */
  readonly supportedFeatures: readonly string[];
  readonly proxyProtocol: boolean;
}

/** `config-gateway`: one Gateway for requests from outside, one for those from inside. */
export interface GatewayApiConfig {
  readonly external: GatewayEntry;
  readonly local: GatewayEntry;
}

const istioGateway = (name: string, service: string): GatewayEntry => ({
  namespace: 'istio-system',
  name,
  class: 'istio',
  service: { namespace: 'istio-system', name: service },
  supportedFeatures: ['HTTPRouteRequestTimeout'],
  proxyProtocol: false,
});

/** Parses `config-gateway`; the defaults are Istio's gateways. Source: net-gateway-api pkg/reconciler/ingress/config. */
export function parseGatewayApiConfig(data: ConfigData | undefined): ConfigResult<GatewayApiConfig> {
  return readConfig(data, (read) => {
    const external = readEntries(read.data, 'external-gateways');
    const local = readEntries(read.data, 'local-gateways');
    if (external.length > 1) throw new ConfigFault('only a single external gateway is supported');
    if (local.length > 1) throw new ConfigFault('only a single local gateway is supported');
    return {
      external: external[0] ?? istioGateway('knative-gateway', 'istio-ingressgateway'),
      local: local[0] ?? istioGateway('knative-local-gateway', 'knative-local-gateway'),
    };
  });
}

function readEntries(data: ConfigData, key: string): readonly GatewayEntry[] {
  const text = data[key];
  if (text === undefined) return [];
  try {
    const value = parseSmallYaml(text);
    if (value === undefined) return [];
    if (!isList(value)) throw new ConfigFault('error unmarshaling JSON: expected a list of gateways');
    return value.map(readEntry);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new ConfigFault(`unable to parse "${key}": ${error.message}`);
  }
}

export function isList(value: SmallYaml): value is readonly SmallYaml[] {
  return Array.isArray(value);
}

function readEntry(value: SmallYaml, index: number): GatewayEntry {
  const entry = isMap(value) ? value : {};
  const text = (name: string): string | undefined => {
    const field = entry[name];
    return typeof field === 'string' ? field : undefined;
  };
  const gateway = readName('gateway', text('gateway') ?? '');
  const service = text('service');
  const className = text('class') ?? '';
  const serviceName = service === undefined ? undefined : readName('service', service);
  if (className.trim() === '') throw new ConfigFault(`entry [${index}] field "class" is required`);
  const features = entry['supported-features'];
  return {
    ...gateway,
    class: className,
    service: serviceName,
    supportedFeatures: features !== undefined && isList(features) ? features.map(String) : [],
    proxyProtocol: isTrueText(text('proxy-protocol-enabled')),
  };
}

function readName(key: string, text: string): ObjectName {
  const [namespace, name, ...rest] = text.split('/');
  if (namespace === undefined || name === undefined || rest.length > 0) {
    throw new ConfigFault(`failed to parse "${key}": expected 'namespace/name' format`);
  }
  return { namespace, name };
}
