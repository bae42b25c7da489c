/** Label and annotation keys of Knative Serving and its networking layer, by their upstream names. */

const serving = 'serving.knative.dev';
const networkingInternal = 'networking.internal.knative.dev';
const networking = 'networking.knative.dev';

export const labelKeys = {
  service: `${serving}/service`,
  serviceUid: `${serving}/serviceUID`,
  configuration: `${serving}/configuration`,
  configurationGeneration: `${serving}/configurationGeneration`,
  configurationUid: `${serving}/configurationUID`,
  revision: `${serving}/revision`,
  revisionUid: `${serving}/revisionUID`,
  route: `${serving}/route`,
  routeNamespace: `${serving}/routeNamespace`,
  /** `pending`, `active` or `reserve`: whether routes use a revision. */
  routingState: `${serving}/routingState`,
  deploymentHash: `${serving}/deployment-hash`,
  domainMappingUid: `${serving}/domainMappingUID`,
  domainMappingNamespace: `${serving}/domainMappingNamespace`,
  /** `cluster-local` hides a Service, Route or tag from the outside. */
  visibility: `${networking}/visibility`,
  wildcardDomain: `${networking}/wildcardDomain`,
  certificateType: `${networking}/certificate-type`,
  serverlessService: `${networkingInternal}/serverlessservice`,
  serviceType: `${networkingInternal}/serviceType`,
  app: 'app',
} as const;

export const annotationKeys = {
  creator: `${serving}/creator`,
  lastModifier: `${serving}/lastModifier`,
  /** Names of the routes that use a revision or configuration, separated by commas. */
  routes: `${serving}/routes`,
  routingStateModified: `${serving}/routingStateModified`,
  lastPinned: `${serving}/lastPinned`,
  noGc: `${serving}/no-gc`,
  rollout: `${networkingInternal}/rollout`,
  tagToHost: `${networkingInternal}/tag-to-host`,
  ingressClass: `${networking}/ingress.class`,
  ingressClassAlternative: `${networking}/ingress-class`,
  certificateClass: `${networking}/certificate.class`,
  certificateClassAlternative: `${networking}/certificate-class`,
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  defaultContainer: 'kubectl.kubernetes.io/default-container',
  allowHttpFullDuplex: 'features.knative.dev/http-full-duplex',
  queueProxyPodInfo: 'features.knative.dev/queueproxy-podinfo',
} as const;

/** Spellings of one annotation, the first present one counts. */
export const annotationSpellings = {
  ingressClass: [annotationKeys.ingressClass, annotationKeys.ingressClassAlternative],
  certificateClass: [annotationKeys.certificateClass, annotationKeys.certificateClassAlternative],
  disableExternalDomainTls: [
    `${networking}/disableAutoTLS`,
    `${networking}/disable-auto-tls`,
    `${networking}/disable-external-domain-tls`,
  ],
  httpProtocol: [`${networking}/httpOption`, `${networking}/http-protocol`],
  rolloutDuration: [`${serving}/rollout-duration`, `${serving}/rolloutDuration`],
  progressDeadline: [`${serving}/progress-deadline`],
  queueSidecarResourcePercentage: [
    'queue.sidecar.serving.knative.dev/resource-percentage',
    'queue.sidecar.serving.knative.dev/resourcePercentage',
  ],
  queueSidecarCpuRequest: ['queue.sidecar.serving.knative.dev/cpu-resource-request'],
  queueSidecarCpuLimit: ['queue.sidecar.serving.knative.dev/cpu-resource-limit'],
  queueSidecarMemoryRequest: ['queue.sidecar.serving.knative.dev/memory-resource-request'],
  queueSidecarMemoryLimit: ['queue.sidecar.serving.knative.dev/memory-resource-limit'],
  queueSidecarEphemeralStorageRequest: ['queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request'],
  queueSidecarEphemeralStorageLimit: ['queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limit'],
} as const;

export const visibilityClusterLocal = 'cluster-local';
export const clusterDomain = 'cluster.local';
/** The domain of Services inside of the cluster. */
export const clusterServiceDomain = `svc.${clusterDomain}`;

/** Value of an annotation under its first spelling that is present. */
export function annotationValue(
  annotations: Readonly<Record<string, string>> | undefined,
  spellings: readonly string[],
): string | undefined {
  if (annotations === undefined) return undefined;
  for (const key of spellings) {
    const value = annotations[key];
    if (value !== undefined) return value;
  }
  return undefined;
}
