import { ConfigFault, readConfig, type ConfigData, type ConfigReader, type ConfigResult } from '../config-reader.ts';
import { executeGoTemplate, parseGoTemplate } from '../go-template.ts';
import { parseSmallYaml, type SmallYaml } from '../small-yaml.ts';
import { cannotUnmarshal, fieldOf, mapOf, textMap, textOf } from '../yaml-values.ts';

/** `config-network`, parsed. Comments give upstream's default. */
export interface NetworkConfig {
  /** `istio.ingress.networking.knative.dev`. */
  readonly defaultIngressClass: string;
  /** `{{.Name}}.{{.Namespace}}.{{.Domain}}`. */
  readonly domainTemplate: string;
  /** `{{.Tag}}-{{.Name}}`. */
  readonly tagTemplate: string;
  readonly externalDomainTLS: boolean;
  /** What plain HTTP requests get. */
  readonly httpProtocol: 'enabled' | 'disabled' | 'redirected';
  /** `cert-manager.certificate.networking.knative.dev`. */
  readonly defaultCertificateClass: string;
  /** Namespaces that get a wildcard certificate, as a label selector. */
  readonly namespaceWildcardCertSelector: SmallYaml;
  /** 0: traffic moves at once. */
  readonly rolloutDurationSeconds: number;
  readonly autocreateClusterDomainClaims: boolean;
  readonly enableMeshPodAddressability: boolean;
  readonly meshCompatibilityMode: 'enabled' | 'disabled' | 'auto';
  /** `http`. */
  readonly defaultExternalScheme: string;
  readonly internalEncryption: boolean;
  readonly systemInternalTLS: 'enabled' | 'disabled';
  readonly clusterLocalDomainTLS: 'enabled' | 'disabled';
}

const map = 'config-network';

/** Parses the data of `config-network`. Source: knative/networking pkg/config/config.go. */
export function parseNetworkConfig(data: ConfigData | undefined): ConfigResult<NetworkConfig> {
  return readConfig(data, (read) => {
    // The older spelling of a key is read first, so that the current one lies over it.
    const text = (key: string, older: string, otherwise: string): string => read.text(key, read.text(older, otherwise));
    const raw = (key: string, older: string, otherwise: string): string => read.raw(key, read.raw(older, otherwise));
    const defaultIngressClass = text('ingress-class', 'ingress.class', 'istio.ingress.networking.knative.dev');
    const defaultCertificateClass = text(
      'certificate-class',
      'certificate.class',
      'cert-manager.certificate.networking.knative.dev',
    );
    const domainTemplate = text('domain-template', 'domainTemplate', '{{.Name}}.{{.Namespace}}.{{.Domain}}');
    const tagTemplate = text('tag-template', 'tagTemplate', '{{.Tag}}-{{.Name}}');
    const older = {
      rollout: read.integer('rolloutDuration', 0),
      autocreate: read.boolean('autocreateClusterDomainClaims', false),
    };
    const rolloutDurationSeconds = read.integer('rollout-duration', older.rollout);
    const autocreateClusterDomainClaims = read.boolean('autocreate-cluster-domain-claims', older.autocreate);
    const enableMeshPodAddressability = read.boolean('enable-mesh-pod-addressability', false);
    const internalEncryption = read.boolean('internal-encryption', false);
    const namespaceWildcardCertSelector = labelSelector(read.raw('namespace-wildcard-cert-selector', ''));
    if (rolloutDurationSeconds < 0) {
      throw new ConfigFault(`rollout-duration must be a positive integer, but was ${rolloutDurationSeconds}`);
    }
    checkDomainTemplate(domainTemplate);
    checkTagTemplate(tagTemplate);
    const systemInternalTLS = encryption(read, 'system-internal-tls');
    return {
      defaultIngressClass,
      defaultCertificateClass,
      domainTemplate,
      tagTemplate,
      rolloutDurationSeconds,
      autocreateClusterDomainClaims,
      enableMeshPodAddressability,
      namespaceWildcardCertSelector,
      externalDomainTLS: isEnabled(read.raw('external-domain-tls', raw('auto-tls', 'autoTLS', 'disabled'))),
      httpProtocol: httpProtocol(read),
      meshCompatibilityMode: meshMode(read.raw('mesh-compatibility-mode', '')),
      defaultExternalScheme: text('default-external-scheme', 'defaultExternalScheme', 'http'),
      internalEncryption: internalEncryption || systemInternalTLS === 'enabled',
      systemInternalTLS: internalEncryption ? 'enabled' : systemInternalTLS,
      clusterLocalDomainTLS: encryption(read, 'cluster-local-domain-tls'),
    };
  });
}

const isEnabled = (text: string): boolean => text.toLowerCase() === 'enabled';

function httpProtocol(read: ConfigReader): NetworkConfig['httpProtocol'] {
  const text = read.raw('http-protocol', read.raw('httpProtocol', '')).toLowerCase();
  if (text === '') return 'enabled';
  if (text === 'enabled' || text === 'disabled' || text === 'redirected') return text;
  // Upstream prints the current spelling's value, also when the older one is at fault.
  throw new ConfigFault(`httpProtocol ${read.raw('http-protocol', '')} in ${map} ConfigMap is not supported`);
}

function meshMode(text: string): NetworkConfig['meshCompatibilityMode'] {
  const lower = text.toLowerCase();
  return lower === 'enabled' || lower === 'disabled' ? lower : 'auto';
}

function encryption(read: ConfigReader, key: string): 'enabled' | 'disabled' {
  const text = read.raw(key, '');
  const lower = text.toLowerCase();
  if (lower === '' || lower === 'disabled') return 'disabled';
  if (lower === 'enabled') return 'enabled';
  throw new ConfigFault(`${key} with value: ${JSON.stringify(text)} in ${map} ConfigMap is not supported`);
}

function checkDomainTemplate(source: string): void {
  const text = executeGoTemplate(parseGoTemplate('domain-template', source), {
    type: 'config.DomainTemplateValues',
    fields: { Name: 'foo', Namespace: 'bar', Domain: 'baz.com', Annotations: undefined, Labels: undefined },
  });
  const slash = text.search(/[/?#]/);
  const host = slash < 0 ? text : text.slice(0, slash);
  // What Go's URL parser does not take in a host name.
  const [wrong] = /[^\w\-.~!$&'()*+,;=:[\]<>"\u0080-\uffff]/.exec(host) ?? [];
  if (wrong !== undefined) {
    const url = JSON.stringify(`https://${text}`);
    throw new ConfigFault(`parse ${url}: invalid character ${JSON.stringify(wrong)} in host name`);
  }
  if (host === '' || host.startsWith(':')) throw new ConfigFault('empty hostname');
  const rest = slash < 0 ? '/' : text.slice(slash).replace(/#.*$/, '');
  const target = rest.startsWith('?') ? `/${rest}` : rest;
  if (target !== '' && target !== '/') throw new ConfigFault(`domain template has url path: ${target}`);
}

function checkTagTemplate(source: string): void {
  executeGoTemplate(parseGoTemplate('tag-template', source), {
    type: 'config.TagTemplateValues',
    fields: { Name: 'foo', Tag: 'v2' },
  });
}

/** `metav1.LabelSelector`: fields that it does not have are dropped. */
function labelSelector(source: string): SmallYaml {
  const value = parseSmallYaml(source);
  if (value === undefined) return undefined;
  const map = mapOf(value, 'value of type v1.LabelSelector');
  const [labels, expressions] = [fieldOf(map, 'matchLabels'), fieldOf(map, 'matchExpressions')];
  const type = '[]v1.LabelSelectorRequirement';
  if (expressions !== undefined && !isList(expressions)) {
    throw cannotUnmarshal(expressions, `struct field LabelSelector.matchExpressions of type ${type}`);
  }
  return {
    ...(labels !== undefined && { matchLabels: textMap(labels, 'struct field LabelSelector.matchLabels') }),
    ...(expressions !== undefined && { matchExpressions: expressions.map(requirement) }),
  };
}

const isList = (value: SmallYaml): value is readonly SmallYaml[] => Array.isArray(value);

function requirement(value: SmallYaml): SmallYaml {
  const field = (name: string): string => `struct field LabelSelectorRequirement.matchExpressions.${name}`;
  const map = mapOf(value, 'struct field LabelSelector.matchExpressions of type v1.LabelSelectorRequirement');
  const values = fieldOf(map, 'values');
  if (values !== undefined && !isList(values)) throw cannotUnmarshal(values, `${field('values')} of type []string`);
  return {
    key: textOf(fieldOf(map, 'key'), field('key')),
    operator: textOf(fieldOf(map, 'operator'), field('operator')),
    ...(values !== undefined && { values: values.map((item) => textOf(item, field('values'))) }),
  };
}
