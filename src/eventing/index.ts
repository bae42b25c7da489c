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
