import { parseTemplate, type TextTemplate } from '../text-template.ts';
import { booleanOf, integerOf, parsedConfig, textOf, type ConfigData } from './read.ts';

export const defaultDomainTemplate = '{{.Name}}.{{.Namespace}}.{{.Domain}}';
export const defaultTagTemplate = '{{.Tag}}-{{.Name}}';

/** `config-network`, as far as reconcilers look at it. Comments give key and default. */
export interface NetworkConfig {
  /** `ingress-class`, istio.ingress.networking.knative.dev. */
  readonly ingressClass: string;
  /** `certificate-class`, cert-manager.certificate.networking.knative.dev. */
  readonly certificateClass: string;
  /** `domain-template`. */
  readonly domainTemplate: TextTemplate;
  /** `tag-template`. */
  readonly tagTemplate: TextTemplate;
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
    domainTemplate: templateOf(textOf(data, 'domain-template', 'domainTemplate'), defaultDomainTemplate),
    tagTemplate: templateOf(textOf(data, 'tag-template', 'tagTemplate'), defaultTagTemplate),
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
const defaultTemplates: Readonly<Record<string, TextTemplate>> = {
  [defaultDomainTemplate]: ({ Name, Namespace, Domain }) => ({ text: `${String(Name)}.${String(Namespace)}.${String(Domain)}` }),
  [defaultTagTemplate]: ({ Name, Tag }) => ({ text: `${String(Tag)}-${String(Name)}` }),
};

function templateOf(text: string | undefined, fallback: string): TextTemplate {
  const known = defaultTemplates[text ?? fallback];
  if (known !== undefined) return known;
  const template = parseTemplate(text ?? fallback);
  return typeof template === 'string' ? () => ({ text: '', error: template }) : template;
}
