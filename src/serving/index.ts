export { certManagerReconciler } from './adapters/cert-manager.ts';
export { gatewayApiReconciler, probeFact, type ProbeState, type ProbeTarget } from './adapters/gateway-api.ts';
export { parseGatewayApiConfig, type GatewayApiConfig, type GatewayEntry } from './adapters/gateway-api-config.ts';
export { gateways, httpRoutes, referenceGrants } from './adapters/gateway-api-kinds.ts';
export { makeHttpRoute } from './adapters/gateway-api-route.ts';
export { ingressHash, withProbes } from './adapters/ingress-probe.ts';
export { createIstioReconciler, type IstioReconcilerOptions } from './adapters/istio.ts';
export { parseIstioConfig, type IstioConfig, type IstioGatewayEntry } from './adapters/istio-config.ts';
export { istioGateways, virtualServices } from './adapters/istio-kinds.ts';
export { makeVirtualServices, type GatewayNames, type HostMatch } from './adapters/istio-virtual-service.ts';
export { certManagerCertificates, challenges, clusterIssuers } from './adapters/cert-manager-kinds.ts';
export { ActivatorStats, type ActivatorStat } from './activator-stats.ts';
export { chooseSubset } from './choose-subset.ts';
export { deploymentConfig, makeDeploymentConfig, type DeploymentConfig } from './config/deployment.ts';
export { domainConfig, domainForLabels, makeDomainConfig, type DomainConfig } from './config/domain.ts';
export { defaultRequestLogTemplate } from './config/observability.ts';
export { makeNetworkConfig, networkConfig, type NetworkConfig } from './config/network.ts';
export {
  activatorIndex,
  affinityCookieName,
  assignInstances,
  createActivator,
  createActivatorHandler,
  createBreaker,
  createForwarder,
  createGateway,
  createMetricsHandler,
  createUpstream,
  createNodeListener,
  createHttpServer,
  createDataPlaneWorkers,
  createRequestLog,
  createRequestLogs,
  createSharedActivator,
  createInstanceBreaker,
  createQueueProxy,
  forwardedHeader,
  InstanceSet,
  passedRequests,
  pickingPolicyFor,
  queueFullText,
  requestTimeoutDefaultMs,
  revisionCapacity,
  type ActivateOptions,
  type Activator,
  type RequestLogOptions,
  type RequestLogsOptions,
  type SharedActivator,
  type SharedActivatorOptions,
  type LoggedRevision,
  type NodeListener,
  type HttpServer,
  type Handler,
  type Exchange,
  type DataPlaneAddress,
  type DataPlaneListenOptions,
  type DataPlaneWorkersOptions,
  type DataPlaneWorkers,
  type AddressedInstance,
  type ActivatorHandlerOptions,
  type ActivatorOptions,
  type AddressTarget,
  type Breaker,
  type BreakerOptions,
  type BreakerTicket,
  type CapacityInput,
  type Forwarder,
  type GatewayMatch,
  type GatewayOptions,
  type GatewayRouter,
  type Instance as ServingInstance,
  type InstanceLoad,
  type InstanceSetOptions,
  type InstanceTarget,
  type PickingPolicy,
  type QueueProxy,
  type QueueProxyOptions,
  type Readiness,
  type RequestLog,
  type RequestLogRecord,
  type RequestTimeouts,
  type RevisionKey,
  type RevisionLabels,
  type RevisionSettings,
  type Slot,
  type TimeoutKind,
} from './data-plane/index.ts';
export { createDigestResolver, type DigestResolverOptions } from './digest-resolver.ts';
export { type Naming, type Visibility } from './domain-name.ts';
export { imageDigestFact, ingressReadyFact, type ImageDigest, type ImageDigestParams, type IngressReadiness } from './facts.ts';
export { annotationKeys, labelKeys } from './keys.ts';
export {
  decodeQueueStat,
  emptyQueueStat,
  encodeQueueStat,
  makeQueueStat,
  queueStatMediaType,
  type QueueStat,
} from './queue-report.ts';
export { configurationReconciler } from './reconcilers/configuration.ts';
export { domainMappingReconciler } from './reconcilers/domain-mapping.ts';
export { garbageCollectorReconciler, selectGarbage } from './reconcilers/garbage-collector.ts';
export { servingReconcilers } from './reconcilers/index.ts';
export { hpaClassReconciler } from './reconcilers/hpa-class.ts';
export { labelerReconciler } from './reconcilers/labeler.ts';
export { localIngressReconciler } from './reconcilers/local-ingress.ts';
export { revisionReconciler } from './reconcilers/revision.ts';
export { routeReconciler } from './reconcilers/route.ts';
export { activatorServiceName, serverlessServiceReconciler } from './reconcilers/serverless-service.ts';
export { serviceReconciler } from './reconcilers/service.ts';
export { RequestStats, type RequestReport } from './request-stats.ts';
export { makeIngress, type IngressInput } from './resources/ingress.ts';
export {
  createRouter,
  normalizeHost,
  type RouteExplanation,
  type Router,
  type RouterOptions,
  type RouteRequest,
} from './router.ts';
export { type RoutableIngress, type RouteMatch } from './router-compile.ts';
export {
  createFastifyRouteHook,
  createHonoRouteMiddleware,
  createRouteMiddleware,
  routeOf,
  withRoute,
  type NodeRequest,
  type RouteMiddlewareOptions,
} from './router-middleware.ts';
export {
  emptyRollout,
  observeReady,
  rolloutDone,
  rolloutValid,
  stepRollout,
  type ConfigurationRollout,
  type RevisionRollout,
  type Rollout,
  type RolloutParams,
} from './traffic/rollout.ts';
export { parseRollout, serializeRollout } from './traffic/rollout-annotation.ts';
export { type TargetError } from './traffic/target-error.ts';
export {
  buildTraffic,
  rolloutOf,
  sourcesOf,
  type RevisionTarget,
  type TrafficConfig,
  type TrafficSources,
} from './traffic/traffic.ts';
