import { deployments } from './apps/deployment.ts';
import { horizontalPodAutoscalers } from './autoscaling/horizontal-pod-autoscaler.ts';
import { metrics } from './autoscaling/metric.ts';
import { podAutoscalers } from './autoscaling/pod-autoscaler.ts';
import { images } from './caching/image.ts';
import { configMaps } from './core/config-map.ts';
import { coreServices } from './core/core-service.ts';
import { endpoints } from './core/endpoints.ts';
import { namespaces } from './core/namespace.ts';
import { persistentVolumeClaims } from './core/persistent-volume-claim.ts';
import { pods } from './core/pod.ts';
import { secrets } from './core/secret.ts';
import { serviceAccounts } from './core/service-account.ts';
import type { Kind } from './kind.ts';
import { certificates } from './networking/certificate.ts';
import { clusterDomainClaims } from './networking/cluster-domain-claim.ts';
import { ingresses } from './networking/ingress.ts';
import { serverlessServices } from './networking/serverless-service.ts';
import { configurations } from './serving/configuration.ts';
import { domainMappings } from './serving/domain-mapping.ts';
import { revisions } from './serving/revision.ts';
import { routes } from './serving/route.ts';
import { services } from './serving/service.ts';

/** Kinds of Kubernetes itself that Knative reads or makes. */
export const coreKinds: readonly Kind[] = [
  namespaces,
  configMaps,
  secrets,
  serviceAccounts,
  coreServices,
  endpoints,
  pods,
  persistentVolumeClaims,
  deployments,
  horizontalPodAutoscalers,
];

/** Kinds of Knative Serving, the internal ones included. */
export const servingKinds: readonly Kind[] = [
  services,
  configurations,
  revisions,
  routes,
  domainMappings,
  podAutoscalers,
  metrics,
  serverlessServices,
  ingresses,
  certificates,
  clusterDomainClaims,
  images,
];
