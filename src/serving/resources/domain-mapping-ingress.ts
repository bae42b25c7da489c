import { apiVersionOf } from '../../api/kind.ts';
import type { HTTP01Challenge } from '../../api/networking/certificate.ts';
import { clusterDomainClaims, type ClusterDomainClaim } from '../../api/networking/cluster-domain-claim.ts';
import { ingresses, type HTTPIngressPath, type Ingress, type IngressTLS } from '../../api/networking/ingress.ts';
import { domainMappings, type DomainMapping } from '../../api/serving/domain-mapping.ts';
import type { HttpOption } from '../http-option.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';
import { challengeHost, excludedAnnotations, ingressName, makeChallengePath } from './ingress.ts';

export interface DomainMappingIngressInput {
  readonly mapping: DomainMapping;
  /** Name of the Service in the mapping's namespace that requests go to. */
  readonly serviceName: string;
  /** Host that the requests carry on from here. */
  readonly host: string;
  readonly ingressClass: string;
  readonly httpOption: HttpOption | undefined;
  readonly tls: readonly IngressTLS[];
  readonly challenges: readonly HTTP01Challenge[];
}

/** The Ingress of a DomainMapping: the domain's requests go to the Service's own host, which its Route serves. */
export function makeDomainMappingIngress(input: DomainMappingIngressInput): Ingress {
  const { mapping, serviceName, host, ingressClass, httpOption, tls, challenges } = input;
  const { name: domain, namespace = '', uid = '', labels, annotations } = mapping.metadata;
  let paths: HTTPIngressPath[] = [
    {
      rewriteHost: host,
      splits: [
        {
          percent: 100,
          appendHeaders: { 'K-Original-Host': domain },
          serviceNamespace: namespace,
          serviceName,
          servicePort: 80,
        },
      ],
    },
  ];
  const others: Ingress['spec']['rules'] = [];
  for (const challenge of challenges) {
    const path = makeChallengePath(challenge);
    const challenged = challengeHost(challenge);
    if (challenged === domain) paths = [path, ...paths];
    else others.push({ hosts: [challenged], visibility: 'ExternalIP', http: { paths: [path] } });
  }
  return {
    apiVersion: apiVersionOf(ingresses),
    kind: ingresses.kind,
    metadata: {
      name: ingressName(mapping),
      namespace,
      annotations: {
        [annotationKeys.ingressClass]: ingressClass,
        ...withoutKeys(annotations, (key) => excludedAnnotations.has(key)),
      },
      labels: { ...labels, [labelKeys.domainMappingUid]: uid, [labelKeys.domainMappingNamespace]: namespace },
      ownerReferences: [controllerReference(domainMappings, mapping)],
    },
    spec: {
      ...(httpOption !== undefined && { httpOption }),
      ...(tls.length > 0 && { tls: [...tls] }),
      rules: [{ hosts: [domain], visibility: 'ExternalIP', http: { paths } }, ...others],
    },
  };
}

/** The claim of the mapping's namespace on its domain. */
export function makeDomainClaim(mapping: DomainMapping): ClusterDomainClaim {
  return {
    apiVersion: apiVersionOf(clusterDomainClaims),
    kind: clusterDomainClaims.kind,
    metadata: { name: mapping.metadata.name },
    spec: { namespace: mapping.metadata.namespace ?? '' },
  };
}
