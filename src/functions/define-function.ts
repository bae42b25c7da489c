import type { EventContext, FunctionContext, StartContext } from './context.ts';
import type { CloudEvent } from './cloud-event.ts';
import type { Duration } from '../duration.ts';
import type { OutputOf, Schema } from './schema.ts';

/** Handles a plain HTTP request. What it returns becomes the response; see docs/functions.md for the mapping. */
export type HttpHandler<Body = unknown> = (context: FunctionContext<Body>, body: Body) => unknown;

/** Handles a CloudEvent. It returns nothing, an event (`context.cloudEventResponse`), several events, or anything that an HTTP function may. */
export type EventHandler<Data = unknown> = (context: EventContext<Data>, event: CloudEvent<Data>) => unknown;

/** What a health hook gets to change the answer: `reply.code(503)`. */
export interface HealthReply {
  code(status: number): HealthReply;
  /** The body, instead of returning it. */
  send(body: unknown): HealthReply;
}

/** Answers a probe: the returned value is the body, `reply.code` sets the status, a throw is a 500. `path` moves the probe. */
export interface HealthHook {
  (context: FunctionContext, reply: HealthReply): unknown;
  readonly path?: string;
}

/** Hooks and settings of a function. All are optional. */
export interface FunctionOptions {
  /** Runs once before the first request is accepted; a failure stops the start. */
  readonly init?: (context: StartContext) => unknown;
  /** Runs once after the last request and everything given to `waitUntil`. */
  readonly shutdown?: (context: StartContext) => unknown;
  readonly liveness?: HealthHook;
  readonly readiness?: HealthHook;
  /** Origins that browsers may call from, `'*'` for all, or a function that lists them. Default: no CORS headers. */
  readonly cors?: '*' | readonly string[] | (() => readonly string[]);
  /** Largest request body in bytes; more is answered 413. Default: limits.bodyBytesMax (10 MiB). */
  readonly bodyBytesMax?: number;
  /** Time for one call, a duration (`'30s'`) or milliseconds; then 504 and `context.signal` aborts. Default: none. */
  readonly timeout?: Duration;
  /** Name in logs and metrics, and in the `source` of events that it makes. Default: K_SERVICE, else `function`. */
  readonly name?: string;
}

/** `'either'` decides per request: `handle` gets an event when the request is one, else the body. */
export type FunctionKind = 'http' | 'event' | 'either' | 'plain';

/**
 * Which conventions govern context, results and errors: this package's own, those of faas-js-runtime, or plain functions of
 * one argument in riff's style.
 */
export type Conventions = 'native' | 'faas' | 'plain';

const marker: unique symbol = Symbol.for('knative-embed.function') as never;

/** A function as `createFunctionHandler`, `serve` and the host take it. Made by `defineFunction` or `loadFunction`. */
export interface FunctionDefinition {
  readonly [marker]: true;
  readonly kind: FunctionKind;
  readonly conventions: Conventions;
  readonly options: FunctionOptions;
  /** Schema of the body or the event's data, checked before the handler runs. */
  readonly schema?: Schema | undefined;
  readonly handle: (context: FunctionContext, argument: unknown) => unknown;
}

/** True for what `defineFunction` returns, whichever copy of the package made it. */
export function isFunctionDefinition(value: unknown): value is FunctionDefinition {
  return typeof value === 'object' && value !== null && marker in value;
}

/** Builds a definition from its parts; `defineFunction` is the typed way to do so. */
export function makeDefinition(parts: {
  kind: FunctionKind;
  handle: (context: never, argument: never) => unknown;
  conventions?: Conventions;
  options?: FunctionOptions;
  schema?: Schema | undefined;
}): FunctionDefinition {
  return {
    [marker]: true,
    kind: parts.kind,
    conventions: parts.conventions ?? 'native',
    options: parts.options ?? {},
    schema: parts.schema,
    // Definitions are stored without their argument types; the kind says which argument `handle` gets.
    handle: parts.handle as (context: FunctionContext, argument: unknown) => unknown,
  };
}

/** The object form: settings, schema and handler together, so that the handler's types follow from the schema. */
export interface HttpFunction<S extends Schema> extends FunctionOptions {
  /** JSON Schema, or a schema of zod, valibot or another Standard Schema library. A body that fails is answered 400. */
  readonly body?: S;
  readonly handle: HttpHandler<OutputOf<S>>;
}

export interface EventFunction<S extends Schema> extends FunctionOptions {
  /** Schema of the event's data. An event that fails is answered 400, which a Trigger does not retry. */
  readonly data?: S;
  readonly handle: EventHandler<OutputOf<S>>;
}

interface DefineFunction {
  /** A function for HTTP requests. */
  <Body = unknown>(handle: HttpHandler<Body>, options?: FunctionOptions): FunctionDefinition;
  <S extends Schema>(definition: HttpFunction<S>): FunctionDefinition;
  /** A function for CloudEvents; requests that are none are answered 400. */
  event: {
    <Data = unknown>(handle: EventHandler<Data>, options?: FunctionOptions): FunctionDefinition;
    <S extends Schema>(definition: EventFunction<S>): FunctionDefinition;
  };
  /** A plain function of the decoded body (`x => x ** 2`), in riff's style; the answer follows the Accept header. */
  plain: (fn: (argument: never) => unknown, options?: FunctionOptions) => FunctionDefinition;
}

type Callable = (context: never, argument: never) => unknown;

/**
 * Declares a function. Export the result as the module's default:
 * `export default defineFunction((context, body) => ({ hello: context.query.name }))`, or
 * `export default defineFunction.event<Order>((context, event) => …)`.
 */
export const defineFunction: DefineFunction = Object.assign(
  (first: Callable | HttpFunction<Schema>, options: FunctionOptions = {}): FunctionDefinition => {
    if (typeof first === 'function') return makeDefinition({ kind: 'http', handle: first, options });
    const { handle, body, ...rest } = first;
    return makeDefinition({ kind: 'http', handle, options: rest, schema: body });
  },
  {
    event(first: Callable | EventFunction<Schema>, options: FunctionOptions = {}): FunctionDefinition {
      if (typeof first === 'function') return makeDefinition({ kind: 'event', handle: first, options });
      const { handle, data, ...rest } = first;
      return makeDefinition({ kind: 'event', handle, options: rest, schema: data });
    },
    plain(fn: (argument: never) => unknown, options: FunctionOptions = {}): FunctionDefinition {
      return makeDefinition({
        kind: 'plain',
        conventions: 'plain',
        handle: (_context: never, argument: never) => fn(argument),
        options,
      });
    },
  },
);
