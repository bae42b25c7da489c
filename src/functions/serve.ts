import { realClock, type Clock } from '../clock.ts';
import type { Handler } from '../http/exchange.ts';
import { createHttpServer, type HttpServer, type HttpServerAddress, type HttpServerLimits } from '../http/server.ts';
import type { Environment } from './context.ts';
import { isFunctionDefinition, type FunctionDefinition } from './define-function.ts';
import { createFaasMetrics } from './faas-metrics.ts';
import { createRoutesRuntime, type FunctionRoutes } from './function-routes.ts';
import { createFunctionRuntime, type FunctionRuntimeOptions } from './function-runtime.ts';
import { listenAddressOf } from './listen-address.ts';
import type { OpenServer } from './open-server.ts';
import { createSinkDeliverer } from './sink-deliverer.ts';

export interface ServeOptions extends FunctionRuntimeOptions {
  /** Port; default FUNC_PORT or PORT of `env`, else 8080. 0 lets the system choose. */
  readonly port?: number;
  /** Address to listen on; default that of LISTEN_ADDRESS, else all interfaces, as Knative's runtime contract wants it. */
  readonly host?: string;
  readonly limits?: HttpServerLimits;
  /** A server that listens already; port, host and limits are not looked at then. */
  readonly opened?: OpenServer;
  /** Answers `GET /metrics` (METRICS_URL) with the calls' numbers as Prometheus text; default false. A text is the function's name in the labels. */
  readonly metrics?: boolean | string;
  /** How long `close` waits for calls under way and background work, milliseconds; default 10 s. */
  readonly graceMs?: number;
}

/** A function that listens. */
export interface FunctionServer extends AsyncDisposable {
  readonly address: HttpServerAddress;
  /** A URL that reaches it from this machine. */
  readonly url: string;
  readonly port: number;
  /** Calls and background work under way. */
  readonly active: number;
  /** Accepts nothing more, lets calls under way finish (at most `graceMs`), runs the shutdown hook, closes the port. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a function, or several by host and path, as an HTTP server: init hooks, health paths, drain on close. The environment
 * defaults to the process's; `context.emit` delivers to K_SINK.
 */
export async function serve(functions: FunctionDefinition | FunctionRoutes, options: ServeOptions = {}): Promise<FunctionServer> {
  const env = options.env ?? process.env;
  const clock = options.clock ?? realClock;
  const graceMs = options.graceMs ?? 10_000;
  const deliverer = options.deliver === undefined ? createSinkDeliverer({ clock }) : undefined;
  const deliver = options.deliver ?? deliverer?.deliver;
  const metrics =
    options.metrics === undefined || options.metrics === false
      ? undefined
      : createFaasMetrics(options.metrics === true ? '' : options.metrics, env);
  const runtimeOptions = {
    ...options,
    ...(metrics === undefined ? {} : { meter: metrics.meter }),
    env,
    clock,
    ...(deliver === undefined ? {} : { deliver }),
  };
  const runtime = isFunctionDefinition(functions)
    ? createFunctionRuntime(functions, runtimeOptions)
    : createRoutesRuntime(functions, runtimeOptions);
  await runtime.start();
  const handler = metrics?.serving(runtime.handler) ?? runtime.handler;
  options.opened?.answerWith(handler);
  const { server, address } = options.opened ?? (await listen(handler, { ...options, env, clock }));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await server.close(graceMs);
      await runtime.close(graceMs);
      await deliverer?.close();
    })();
    return closing;
  };
  return {
    address,
    url: `http://${isAnyInterface(address.host) ? '127.0.0.1' : address.host}:${address.port}`,
    port: address.port,
    get active() {
      return runtime.active;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(
  handler: Handler,
  options: ServeOptions & { readonly env: Environment; readonly clock: Clock },
): Promise<{ server: HttpServer; address: HttpServerAddress }> {
  const wanted = listenAddressOf(options.env);
  const server = createHttpServer({
    handler,
    host: options.host ?? wanted.host,
    port: options.port ?? wanted.port,
    clock: options.clock,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return { server, address: await server.listen() };
}

function isAnyInterface(host: string): boolean {
  return host === '::' || host === '0.0.0.0';
}
