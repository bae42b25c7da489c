import { ConfigFault, readConfig, type ConfigData, type ConfigReader, type ConfigResult } from '../config-reader.ts';
import { executeGoTemplate, parseGoTemplate } from '../go-template.ts';
import { parseSmallYaml, type SmallYaml } from '../small-yaml.ts';

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
    const defaultIngressClass = text('ingress-class', 'ingress.class', 'istio.ingress.networking.knative.dev');
    const defaultCertificateClass = text(
      'certificate-class',
      'certificate.class',
      'cert-manager.certificate.networking.knative.dev',
    );
    const domainTemplate = text('domain-template', 'domainTemplate', '{{.Name}}.{{.Namespace}}.{{.Domain}}');
    const tagTemplate = text('tag-template', 'tagTemplate', '{{.Tag}}-{{.Name}}');
    const rolloutDurationSeconds = read.integer('rollout-duration', read.integer('rolloutDuration', 0));
    const autocreateClusterDomainClaims = read.boolean(
      'autocreate-cluster-domain-claims',
      read.boolean('autocreateClusterDomainClaims', false),
    );
    const enableMeshPodAddressability = read.boolean('enable-mesh-pod-addressability', false);
    const internalEncryption = read.boolean('internal-encryption', false);
    const namespaceWildcardCertSelector = parseSmallYaml(read.text('namespace-wildcard-cert-selector', ''));
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
      externalDomainTLS: isEnabled(read.text('external-domain-tls', text('auto-tls', 'autoTLS', 'disabled'))),
      httpProtocol: httpProtocol(read),
      meshCompatibilityMode: meshMode(read.text('mesh-compatibility-mode', '')),
      defaultExternalScheme: text('default-external-scheme', 'defaultExternalScheme', 'http'),
      internalEncryption: internalEncryption || systemInternalTLS === 'enabled',
      systemInternalTLS: internalEncryption ? 'enabled' : systemInternalTLS,
      clusterLocalDomainTLS: encryption(read, 'cluster-local-domain-tls'),
    };
  });
}

const isEnabled = (text: string): boolean => text.toLowerCase() === 'enabled';

function httpProtocol(read: ConfigReader): NetworkConfig['httpProtocol'] {
  const text = read.text('http-protocol', read.text('httpProtocol', '')).toLowerCase();
  if (text === '') return 'enabled';
  if (text === 'enabled' || text === 'disabled' || text === 'redirected') return text;
  // Upstream prints the current spelling's value, also when the older one is at fault.
  throw new ConfigFault(`httpProtocol ${read.text('http-protocol', '')} in ${map} ConfigMap is not supported`);
}

function meshMode(text: string): NetworkConfig['meshCompatibilityMode'] {
  const lower = text.toLowerCase();
  return lower === 'enabled' || lower === 'disabled' ? lower : 'auto';
}

function encryption(read: ConfigReader, key: string): 'enabled' | 'disabled' {
  const text = read.text(key, '');
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
