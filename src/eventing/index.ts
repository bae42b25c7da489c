export { brokerReconciler, channelBrokerClass, runsOnEmbeddedLog } from './reconcilers/broker.ts';
export { resolveDestination, type Resolved } from './reconcilers/resolve-destination.ts';
export { brokerOf, triggerReconciler } from './reconcilers/trigger.ts';
export { createBroker } from './broker.ts';
export {
  type Broker,
  type BrokerOptions,
  type BrokerStatus,
  type PublishOptions,
  type PublishResult,
  type RedriveRequest,
  type ReplayReport,
  type ReplayRequest,
  type TriggerStatus,
} from './broker-types.ts';
export { type DeliveryRecord, type EventRecord, type HistoryOptions, type TryRecord } from './event-history.ts';
export { createIngress, type IngressBroker, type IngressOptions, type SenderCheck, type SenderRequest } from './ingress.ts';
export { forwardEvents, type ForwardOptions } from './forward-events.ts';
export {
  LogFullError,
  type ConsumeOptions,
  type EventLog,
  type LogCapability,
  type LogConsumer,
  type LogDelivery,
  type LogStats,
  type LogTrigger,
  type ParkedEvent,
  type ParkReason,
  type ReadOptions,
  type StoredEvent,
  type TriggerStats,
} from './log.ts';
export { fileLog } from './logs/file.ts';
export { type FileLogOptions } from './logs/file-options.ts';
export { jetStreamLog, type JetStreamLogOptions } from './logs/jetstream.ts';
export { rabbitMqLog, type RabbitMqLogOptions } from './logs/rabbitmq.ts';
export { redisStreamsLog, type RedisStreamsLogOptions } from './logs/redis.ts';
export { memoryLog, type MemoryLogOptions } from './logs/memory.ts';
export { type DeliveryContext, type Subscriber, type TriggerOptions } from './subscriber.ts';
export {
  compileFilter,
  type CompileFilterOptions,
  type Filter,
  type FilterResult,
  type FilterSpec,
} from './filters/compile-filter.ts';
export { type FilterExplanation } from './filters/explain-filter.ts';
export { wireForm } from './filters/wire-form.ts';
export { createMatcher, type Matcher, type Matches, type TriggerExplanation } from './matcher.ts';
export {
  compileSenderRule,
  mayPublish,
  senderRulesAllow,
  type CompiledSenderRule,
  type SenderRule,
} from './filters/event-policy.ts';
export { applyingPolicies } from './reconcilers/event-policies.ts';
export { createDeliveryCheck, createSenderCheck, type ProtectedResource, type SenderCheckOptions } from './auth/sender-check.ts';
export { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './auth/token-issuer.ts';
export { createTokenVerifier, type TokenIdentity, type TokenVerifier, type TokenVerifierOptions } from './auth/token-verifier.ts';
export { dispatchEvent, type DispatchOptions, type DispatchResult } from './dispatch-event.ts';
export { createFilterHandler, type FilterHandlerOptions, type FilterTarget } from './filter-handler.ts';
export { observeHops, type EventingTelemetryOptions, type HopOptions } from './telemetry.ts';
export { parseEventingConfig, type ConfigOutcome } from './config/config-maps.ts';
export { createOperationsHandler, type OperationsOptions } from './operations-handler.ts';
