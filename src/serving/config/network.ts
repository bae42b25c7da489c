import { executeGoTemplate, parseGoTemplate, TemplateError } from '../../api/go-template.ts';
import { booleanOf, integerOf, parsedConfig, textOf, type ConfigData } from './read.ts';

export const defaultDomainTemplate = '{{.Name}}.{{.Namespace}}.{{.Domain}}';
export const defaultTagTemplate = '{{.Tag}}-{{.Name}}';

/** What a name is made of; `undefined` values print as Go prints them. */
export type NameValues = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** Makes a name; throws the `TemplateError` of values that the template cannot deal with. */
export type NameTemplate = (values: NameValues) => string;

/** `config-network`, as far as reconcilers look at it. Comments give key and default. */
export interface NetworkConfig {
  /** `ingress-class`, istio.ingress.networking.knative.dev. */
  readonly ingressClass: string;
  /** `certificate-class`, cert-manager.certificate.networking.knative.dev. */
  readonly certificateClass: string;
  /** `domain-template`. */
  readonly domainTemplate: NameTemplate;
  /** `tag-template`. */
  readonly tagTemplate: NameTemplate;
  /** `rollout-duration` in seconds, 0: traffic moves at once. */
  readonly rolloutDurationSeconds: number;
  /** `autocreate-cluster-domain-claims`, false. */
  readonly autocreateClusterDomainClaims: boolean;
  /** `external-domain-tls` (or `auto-tls`), false. */
  readonly externalDomainTls: boolean;
  /** `cluster-local-domain-tls`, false. */
  readonly clusterLocalDomainTls: boolean;
  /** `system-internal-tls` (or `internal-encryption`), false. */
  readonly systemInternalTls: boolean;
  /** `http-protocol`, enabled. */
  readonly httpProtocol: 'enabled' | 'disabled' | 'redirected';
  /** `default-external-scheme`, http. */
  readonly defaultExternalScheme: string;
}

export const networkConfig = parsedConfig('config-network', parseNetworkConfig);

export function parseNetworkConfig(data: ConfigData): NetworkConfig {
  const isEnabled = (text: string | undefined): boolean => text?.toLowerCase() === 'enabled';
  const httpProtocol = textOf(data, 'http-protocol', 'httpProtocol')?.toLowerCase();
  return {
    ingressClass: textOf(data, 'ingress-class', 'ingress.class') ?? 'istio.ingress.networking.knative.dev',
    certificateClass: textOf(data, 'certificate-class', 'certificate.class') ?? 'cert-manager.certificate.networking.knative.dev',
    domainTemplate: templateOf(
      'domain-template',
      'config.DomainTemplateValues',
      textOf(data, 'domain-template', 'domainTemplate') ?? defaultDomainTemplate,
    ),
    tagTemplate: templateOf(
      'tag-template',
      'config.TagTemplateValues',
      textOf(data, 'tag-template', 'tagTemplate') ?? defaultTagTemplate,
    ),
    rolloutDurationSeconds: integerOf(textOf(data, 'rollout-duration', 'rolloutDuration'), 0),
    autocreateClusterDomainClaims: booleanOf(
      textOf(data, 'autocreate-cluster-domain-claims', 'autocreateClusterDomainClaims'),
      false,
    ),
    externalDomainTls: isEnabled(textOf(data, 'external-domain-tls', 'auto-tls', 'autoTLS')),
    clusterLocalDomainTls: isEnabled(data['cluster-local-domain-tls']),
    systemInternalTls: isEnabled(data['system-internal-tls']) || booleanOf(data['internal-encryption'], false),
    httpProtocol: httpProtocol === 'disabled' || httpProtocol === 'redirected' ? httpProtocol : 'enabled',
    defaultExternalScheme: textOf(data, 'default-external-scheme', 'defaultExternalScheme') ?? 'http',
  };
}

/** The defaults need no interpreter: names are made on a hot path. */
const defaultTemplates: Readonly<Record<string, NameTemplate>> = {
  [defaultDomainTemplate]: ({ Name, Namespace, Domain }) => `${String(Name)}.${String(Namespace)}.${String(Domain)}`,
  [defaultTagTemplate]: ({ Name, Tag }) => `${String(Tag)}-${String(Name)}`,
};

function templateOf(name: string, type: string, source: string): NameTemplate {
  const known = defaultTemplates[source];
  if (known !== undefined) return known;
  try {
    const template = parseGoTemplate(name, source);
    return (fields) => executeGoTemplate(template, { type, fields });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    // Admission refuses such a config map; should one get here all the same, every name that needs it fails.
    return () => {
      throw error;
    };
  }
}
