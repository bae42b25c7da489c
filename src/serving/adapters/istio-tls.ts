import type { CoreService } from '../../api/core/core-service.ts';
import type { Secret } from '../../api/core/secret.ts';
import { secrets } from '../../api/core/secret.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { ingresses, type Ingress, type IngressTLS } from '../../api/networking/ingress.ts';
import { adler32 } from '../hash/adler32.ts';
import type { Visibility } from '../domain-name.ts';
import { controllerReference, type StringMap } from '../metadata.ts';
import { certificateDnsNames } from './certificate-names.ts';
import { ingressLabel } from './gateway-api-route.ts';
import { istioGateways, type IstioGateway, type IstioServer } from './istio-kinds.ts';

const labelMax = 63;
const labelPattern = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const certificateUidLabel = 'networking.internal.knative.dev/certificate-uid';
const originNameLabel = 'networking.internal.knative.dev/originSecretName';
const originNamespaceLabel = 'networking.internal.knative.dev/originSecretNamespace';

export function secretKey({ secretNamespace, secretName }: IngressTLS): string {
  return `${secretNamespace}/${secretName}`;
}

/** The hosts that a TLS secret's certificate is for, or what is wrong with it. */
export function secretHosts(secret: Secret): readonly string[] | { readonly error: string } {
  const { namespace = '', name } = secret.metadata;
  const encoded = secret.data?.['tls.crt'] ?? '';
  const names = certificateDnsNames(fromBase64(encoded));
  if (names === undefined) return { error: `failed to decode PEM data for secret ${namespace}/${name}` };
  return names.length === 0 ? { error: 'certificate should have DNS names, but it has 0' } : names;
}

function fromBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}

/** True when one of the hosts stands for a whole level of names. */
export function isWildcard(hosts: readonly string[]): boolean {
  return hosts.some((host) => host.startsWith('*.'));
}

/** A copy of a secret for the namespace of a gateway's pods, which read secrets of their own namespace only. */
export function copySecret(origin: Secret, name: string, namespace: string): Secret {
  const { name: originName } = origin.metadata;
  const isLong = originName.length > labelMax;
  return {
    apiVersion: apiVersionOf(secrets),
    kind: secrets.kind,
    metadata: {
      name,
      namespace,
      labels: {
        ...originLabels(originName, origin.metadata.namespace ?? ''),
        [certificateUidLabel]: origin.metadata.labels?.[certificateUidLabel] ?? '',
      },
      ...(isLong && { annotations: { [originNameLabel]: originName } }),
    },
    ...(origin.data !== undefined && { data: origin.data }),
    ...(origin.type !== undefined && { type: origin.type }),
  };
}

/** Labels by which the copies of a secret are found. */
export function originLabels(name: string, namespace: string): Record<string, string> {
  return { [originNamespaceLabel]: namespace, [originNameLabel]: shortened(name, String(adler32(name))) };
}

function shortened(text: string, suffix: string): string {
  return text.length <= labelMax ? text : `${text.slice(0, labelMax - suffix.length - 1)}-${suffix}`;
}

export function targetSecretName(origin: Secret, ingress: Ingress): string {
  return `${ingress.metadata.name}-${origin.metadata.uid ?? ''}`;
}

export function wildcardSecretName(origin: Secret): string {
  return `${origin.metadata.namespace ?? ''}--${origin.metadata.name}-wildcard`;
}

/** Names and hosts of the servers of an Ingress in a Gateway. */
function portPrefix(ingress: Ingress): string {
  const { namespace = '', name } = ingress.metadata;
  return `${namespace}/${isLabel(name) ? name : adler32(name)}`;
}

export function belongsToIngress(server: IstioServer, ingress: Ingress): boolean {
  const parts = (server.port?.name ?? '').split(':');
  return parts.length === 2 && parts[0] === portPrefix(ingress);
}

function isLabel(text: string): boolean {
  return text.length <= labelMax && labelPattern.test(text);
}

/** Servers that end TLS; `undefined` names a secret that is missing among the originals. */
export function makeTlsServers(
  ingress: Ingress,
  visibility: Visibility,
  entries: readonly IngressTLS[],
  gatewayNamespace: string,
  origins: ReadonlyMap<string, Secret>,
): IstioServer[] | { readonly error: string } {
  const servers: IstioServer[] = [];
  for (const [index, tls] of entries.entries()) {
    let credentialName = tls.secretName;
    if (tls.secretNamespace !== gatewayNamespace) {
      const origin = origins.get(secretKey(tls));
      if (origin === undefined) return { error: `unable to get the original secret ${secretKey(tls)}` };
      credentialName = targetSecretName(origin, ingress);
    }
    servers.push({
      hosts: tls.hosts,
      port: {
        name: `${portPrefix(ingress)}:${index}`,
        number: visibility === 'ClusterLocal' ? 8_444 : 443,
        protocol: 'HTTPS',
      },
      tls: { mode: 'SIMPLE', credentialName },
    });
  }
  return servers.sort((a, b) => ((a.port?.name ?? '') < (b.port?.name ?? '') ? -1 : 1));
}

/** The server for plain HTTP; with `Redirected` it only sends clients to HTTPS. */
export function makeHttpServer(httpOption: string | undefined, hosts: readonly string[]): IstioServer | undefined {
  if (httpOption === undefined || httpOption === '') return undefined;
  return {
    hosts: [...hosts],
    port: { name: 'http-server', number: 80, protocol: 'HTTP' },
    ...(httpOption === 'Redirected' && { tls: { httpsRedirect: true } }),
  };
}

/** A Gateway of the Ingress' own at one gateway service. */
export function makeIngressGateway(
  ingress: Ingress,
  visibility: Visibility,
  service: CoreService,
  servers: readonly IstioServer[],
): IstioGateway {
  const { namespace } = ingress.metadata;
  return {
    apiVersion: apiVersionOf(istioGateways),
    kind: istioGateways.kind,
    metadata: {
      name: gatewayName(ingress, visibility, service),
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [controllerReference(ingresses, ingress)],
      labels: { [ingressLabel]: ingress.metadata.name },
    },
    spec: { selector: service.spec.selector ?? {}, servers: [...servers] },
  };
}

function gatewayName(ingress: Ingress, visibility: Visibility, service: CoreService): string {
  const { name } = ingress.metadata;
  const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}${visibility === 'ClusterLocal' ? '-local' : ''}`;
  const checksum = String(adler32(key));
  const prefix = isLabel(name) ? name : String(adler32(name));
  return `${prefix.slice(0, labelMax - checksum.length - 1)}-${checksum}`;
}

/** The Gateway that ends TLS for everything under a wildcard certificate; it belongs to the secret. */
export function makeWildcardGateway(secret: Secret, hosts: readonly string[], service: CoreService): IstioGateway {
  const { name, namespace = '', uid = '' } = secret.metadata;
  const { name: serviceName, namespace: serviceNamespace = '' } = service.metadata;
  const checksum = adler32(`${name}-${serviceNamespace}-${serviceName}`);
  return {
    apiVersion: apiVersionOf(istioGateways),
    kind: istioGateways.kind,
    metadata: {
      name: `wildcard-${checksum.toString(16)}`,
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      selector: service.spec.selector ?? ({} as StringMap),
      servers: [
        {
          hosts: [...hosts],
          port: { name: 'https', number: 443, protocol: 'HTTPS' },
          tls: { mode: 'SIMPLE', credentialName: namespace === serviceNamespace ? name : wildcardSecretName(secret) },
        },
      ],
    },
  };
}
