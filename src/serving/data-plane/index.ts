export { createActivatorHandler, type ActivatorHandlerOptions } from './activator-handler.ts';
export { createActivator, type ActivateOptions, type Activator, type ActivatorOptions, type InstanceLoad } from './activator.ts';
export {
  createBreaker,
  createInstanceBreaker,
  queueFullText,
  type Breaker,
  type BreakerOptions,
  type BreakerTicket,
} from './breaker.ts';
export { activatorIndex, assignInstances, revisionCapacity, type CapacityInput } from './capacity.ts';
export { forwardedHeader } from './forwarded.ts';
export { createForwarder, type AddressTarget, type Forwarder } from './forwarder.ts';
export { createGateway, type GatewayMatch, type GatewayOptions, type GatewayRouter } from './gateway.ts';
export { InstanceSet, pickingPolicyFor, type InstanceSetOptions, type PickingPolicy, type Slot } from './instance-picking.ts';
export { type Readiness } from './probe-answers.ts';
export { createQueueProxy, type QueueProxy, type QueueProxyOptions } from './queue-proxy.ts';
export {
  createRequestLog,
  type LoggedRevision,
  type RequestLog,
  type RequestLogOptions,
  type RequestLogRecord,
} from './request-log.ts';
export { createRequestLogs, type RequestLogsOptions } from './request-logs.ts';
export { RequestStats, type RequestReport } from '../request-stats.ts';
export { type Instance, type InstanceTarget, type RevisionKey, type RevisionLabels, type RevisionSettings } from './revision.ts';
export { affinityCookieName } from './session-affinity.ts';
export { requestTimeoutDefaultMs, type RequestTimeouts, type TimeoutKind } from './timeouts.ts';
export {
  createHttpServer,
  createNodeListener,
  createUpstream,
  type Exchange,
  type Handler,
  type HttpServer,
  type NodeListener,
} from '../../http/index.ts';
export { assignShares } from './workers/assignment.ts';
export { createDataPlaneWorkers } from './workers/data-plane-workers.ts';
export {
  type DataPlaneAddress,
  type DataPlaneListenOptions,
  type DataPlaneWorkers,
  type DataPlaneWorkersOptions,
} from './workers/workers-types.ts';
export { passedRequests } from './workers/passing.ts';
export { createSharedActivator, type SharedActivator, type SharedActivatorOptions } from './workers/shared-activator.ts';
export { type AddressedInstance } from './workers/messages.ts';
export { createMetricsHandler } from './metrics-handler.ts';
