// The interface of the npm package faas-js-runtime, for tests and programs that import it: `import { start } from 'knative-embed/functions/faas'`.
import type { Server } from 'node:http';
import type { LogLevel } from '../logger.ts';
import type { FunctionContext } from './context.ts';
import { isFunctionDefinition, makeDefinition, type FunctionDefinition, type HealthHook } from './define-function.ts';
import type { Deliver } from './emit.ts';
import { createFaasMetrics } from './faas-metrics.ts';
import { readFuncYaml } from './func-yaml.ts';
import { createFunctionRuntime, type FunctionRuntime } from './function-runtime.ts';
import { definitionOf } from './load-function.ts';
import { answerClientErrors, createNodeListener } from './node-listener.ts';
import { createSinkDeliverer } from './sink-deliverer.ts';
import { createStandardLogger } from './standard-logger.ts';
import { watchUncaught } from './uncaught.ts';

/** A function of the `(context, body | event)` convention. */
export type Invokable = (context: FunctionContext, argument?: never) => unknown;

/** A function with its hooks. */
export interface FaasFunction {
  readonly handle: Invokable;
  readonly init?: () => unknown;
  readonly shutdown?: () => unknown;
  readonly cors?: () => string[];
  readonly liveness?: HealthHook;
  readonly readiness?: HealthHook;
}

export interface StartOptions {
  /** Default warn. */
  logLevel?: LogLevel | 'fatal';
  /** Default 8080; 0 lets the system choose (faas-js-runtime takes 0 for 8080). */
  port?: number;
  /** Gives `context.rawBody`; default false. */
  includeRaw?: boolean;
  /** Largest request body in bytes, forms included; default 1 MiB. */
  bodyLimit?: number;
  /** func.yaml or its folder, whose settings win; default the working directory. */
  config?: string;
  /** Environment of the function; default the process's. */
  env?: Readonly<Record<string, string | undefined>>;
  shutdown?: () => unknown;
  cors?: () => string[];
  liveness?: HealthHook;
  readiness?: HealthHook;
  /** Carries events of `context.emit`; default HTTP to K_SINK. */
  deliver?: Deliver;
}

export const defaults = { LOG_LEVEL: 'warn', PORT: 8080, INCLUDE_RAW: false, BODY_LIMIT: 1_048_576 } as const;

/**
 * Starts a function as faas-js-runtime does and returns the listening node:http server. What is deliberately different is
 * listed in docs/differences.md: among others, calls under way are finished on SIGTERM, and an uncaught error ends the process
 * with a message and code 1.
 */
export async function start(fn: Invokable | FaasFunction, options: StartOptions = {}): Promise<Server> {
  const env = options.env ?? process.env;
  const config = await readFuncYaml(options.config ?? '.', env);
  const merged = { ...options, ...config };
  const deliverer = options.deliver === undefined ? createSinkDeliverer() : undefined;
  const logger = createStandardLogger({ FUNC_LOG_LEVEL: merged.logLevel ?? defaults.LOG_LEVEL });
  const metrics = createFaasMetrics(merged.name ?? '', env);
  const runtime = createFunctionRuntime(faasDefinition(fn, options), {
    env,
    logger,
    meter: metrics.meter,
    bodyBytesMax: merged.bodyLimit ?? defaults.BODY_LIMIT,
    includeRaw: merged.includeRaw ?? defaults.INCLUDE_RAW,
    deliver: options.deliver ?? deliverer?.deliver ?? rejectDelivery,
  });
  await runtime.start();
  const server = process.getBuiltinModule('node:http').createServer(createNodeListener(metrics.serving(runtime.handler), logger));
  answerClientErrors(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(merged.port ?? defaults.PORT, '::', () => {
      server.off('error', reject);
      resolve();
    });
  });
  endWithProcess(server, runtime);
  watchUncaught(server, stopAll);
  server.once('close', () => void deliverer?.close());
  return server;
}

const rejectDelivery: Deliver = () => Promise.reject(new Error('no deliverer'));

function faasDefinition(fn: Invokable | FaasFunction, options: StartOptions): FunctionDefinition {
  const { shutdown, cors, liveness, readiness } = options;
  const source =
    typeof fn === 'function' ? { handle: fn } : isFunctionDefinition(fn) ? { ...fn.options, handle: fn.handle } : { ...fn };
  if (typeof source.handle !== 'function') throw new TypeError('Function must export a handle function');
  const definition = definitionOf({ shutdown, cors, liveness, readiness, ...source }, 'faas');
  return makeDefinition({ ...definition, conventions: 'faas' });
}

interface Running {
  readonly server: Server;
  readonly runtime: FunctionRuntime;
}

const running = new Set<Running>();
let stopping = false;

// One set of process listeners, however many functions a test starts.
function endWithProcess(server: Server, runtime: FunctionRuntime): void {
  const entry: Running = { server, runtime };
  if (running.size === 0) for (const event of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(event, stopOnSignal);
  running.add(entry);
  server.once('close', () => {
    running.delete(entry);
    if (running.size > 0 || stopping) return;
    for (const event of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.off(event, stopOnSignal);
  });
}

function stopOnSignal(): void {
  stopAll(0);
}

// Connections that are idle go at once, calls under way are finished, then the shutdown hooks run.
function stopAll(exitCode: number): void {
  if (stopping) return;
  stopping = true;
  const ends = [...running].map(async ({ server, runtime }) => {
    server.close();
    server.closeIdleConnections();
    await runtime.close();
  });
  Promise.all(ends).then(
    () => process.exit(exitCode),
    (error: unknown) => {
      process.stderr.write(
        `the shutdown hook failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.exit(1);
    },
  );
}
