export { coreKinds, servingKinds } from './kinds.ts';
export { eventingKinds } from './eventing/kinds.ts';
export { installedEventingConfig } from './eventing/installed-config.ts';
export { apiVersionOf, resourceNameOf, type AdmissionContext, type Kind } from './kind.ts';
export { resourceKey, type Condition, type ObjectMeta, type OwnerReference, type Resource } from './resource.ts';
export {
  also,
  disallowedFields,
  errorText,
  genericError,
  invalidValue,
  mergeErrors,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  viaField,
  viaFieldIndex,
  viaFieldKey,
  viaIndex,
  viaKey,
  type FieldError,
  type FieldErrors,
} from './field-errors.ts';
export {
  annotate,
  any,
  anyObject,
  array,
  boolean,
  describe,
  int32,
  int64,
  intOrString,
  lazy,
  map,
  number,
  object,
  oneOf,
  present,
  quantity,
  required,
  string,
  type JsonSchema,
  type PresentSchema,
  type Schema,
  type TypeOf,
} from './schema.ts';
export { nearestName, strictDecode, type DecodeProblem, type DecodeResult } from './strict-decode.ts';
export {
  type EventRecord,
  type FactRequest,
  type ListSelector,
  type Plan,
  type Reader,
  type Reconciler,
  type Write,
} from './reconciler.ts';
export {
  batchConditionSet,
  findCondition,
  isFalse,
  isTrue,
  isUnknown,
  livingConditionSet,
  manageConditions,
  type ConditionManager,
  type ConditionSet,
} from './conditions.ts';
export { childName } from './child-name.ts';
export { configProblem } from './config-maps.ts';
export { makeCrd } from './crd.ts';
export { makeEditorIndex, makeEditorSchema } from './editor-schema.ts';
export { parseImageReference, type ImageReference } from './image-reference.ts';
export { printerColumnsOf, type PrinterColumn } from './printer-columns.ts';
export { deployments, type Deployment } from './apps/deployment.ts';
export { horizontalPodAutoscalers, type HorizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts';
export { metrics, type Metric } from './autoscaling/metric.ts';
export { podAutoscalers, type PodAutoscaler } from './autoscaling/pod-autoscaler.ts';
export { images, type Image } from './caching/image.ts';
export { configMaps, type ConfigMap } from './core/config-map.ts';
export { type Container, type EnvVar, type Probe, type VolumeMount } from './core/container.ts';
export { coreServices, type CoreService } from './core/core-service.ts';
export { endpoints, type Endpoints } from './core/endpoints.ts';
export { namespaces, type Namespace } from './core/namespace.ts';
export { persistentVolumeClaims, type PersistentVolumeClaim } from './core/persistent-volume-claim.ts';
export { type PodSpec } from './core/pod-spec.ts';
export { pods, type Pod } from './core/pod.ts';
export { secrets, type Secret } from './core/secret.ts';
export { serviceAccounts, type ServiceAccount } from './core/service-account.ts';
export { type Volume } from './core/volumes.ts';
export { certificates, type Certificate } from './networking/certificate.ts';
export { clusterDomainClaims, type ClusterDomainClaim } from './networking/cluster-domain-claim.ts';
export { ingresses, type Ingress } from './networking/ingress.ts';
export { serverlessServices, type ServerlessService } from './networking/serverless-service.ts';
export { configurations, type Configuration } from './serving/configuration.ts';
export { domainMappings, type DomainMapping } from './serving/domain-mapping.ts';
export { revisions, type Revision, type RevisionSpec, type RevisionTemplateSpec } from './serving/revision.ts';
export { routes, type Route } from './serving/route.ts';
export { services, type Service } from './serving/service.ts';
export { type TrafficTarget } from './serving/traffic-target.ts';
export { brokers, type Broker } from './eventing/broker.ts';
export { eventPolicies, type EventPolicy } from './eventing/event-policy.ts';
export { eventTransforms, type EventTransform } from './eventing/event-transform.ts';
export { eventTypes, type EventType } from './eventing/event-type.ts';
export { requestReplies, type RequestReply } from './eventing/request-reply.ts';
export { triggers, type Trigger } from './eventing/trigger.ts';
export { parallels, type Parallel } from './flows/parallel.ts';
export { sequences, type Sequence } from './flows/sequence.ts';
export { channels, type Channel } from './messaging/channel.ts';
export { inMemoryChannels, type InMemoryChannel } from './messaging/in-memory-channel.ts';
export { subscriptions, type Subscription } from './messaging/subscription.ts';
export { integrationSinks, type IntegrationSink } from './sinks/integration-sink.ts';
export { jobSinks, type JobSink } from './sinks/job-sink.ts';
export { apiServerSources, type ApiServerSource } from './sources/api-server-source.ts';
export { containerSources, type ContainerSource } from './sources/container-source.ts';
export { integrationSources, type IntegrationSource } from './sources/integration-source.ts';
export { pingSources, type PingSource } from './sources/ping-source.ts';
export { sinkBindings, type SinkBinding } from './sources/sink-binding.ts';
export { KnativeError, type ErrorCode, type ErrorDetails } from '../errors.ts';
