export {
  defineFunction,
  isFunctionDefinition,
  type Conventions,
  type EventFunction,
  type EventHandler,
  type FunctionDefinition,
  type FunctionKind,
  type FunctionOptions,
  type HealthHook,
  type HealthReply,
  type HttpFunction,
  type HttpHandler,
} from './define-function.ts';
export {
  type Environment,
  type EventContext,
  type EventDraft,
  type FunctionContext,
  type FunctionContext as Context,
  type StartContext,
  type TraceContext,
} from './context.ts';
export { CloudEvent, type CloudEventFields } from './cloud-event.ts';
export { type EventReply } from './event-reply.ts';
export { type FunctionLog, type LogMethod } from './log.ts';
export { type FormValue } from './form.ts';
export { type Query } from './query.ts';
export { type StructuredResult } from './result.ts';
export { type HealthPaths } from './health.ts';
export { type Deliver } from './emit.ts';
export { type JsonSchema, type OutputOf, type Schema, type StandardSchema } from './schema.ts';
export {
  createFunctionHandler,
  createFunctionRuntime,
  type FunctionRuntime,
  type FunctionRuntimeOptions,
} from './function-runtime.ts';
export { createFetchHandler, type Mountable } from './fetch-handler.ts';
export { expressMiddleware, fastifyPlugin, honoHandler } from './middleware.ts';
export { createRoutesRuntime, type FunctionRoutes } from './function-routes.ts';
export { createSinkDeliverer, defaultSinkDelivery, type SinkDeliverer, type SinkDelivererOptions } from './sink-deliverer.ts';
export { loadFunction, type LoadedFunction, type LoadOptions } from './load-function.ts';
export { serve, type FunctionServer, type ServeOptions } from './serve.ts';
