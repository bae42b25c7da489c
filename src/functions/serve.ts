import { KnativeError } from '../errors.ts';
import { createHttpServer, type HttpServerAddress, type HttpServerLimits } from '../http/server.ts';
import type { Clock } from '../clock.ts';
import { realClock } from '../clock.ts';
import type { FunctionDefinition } from './define-function.ts';
import { createFunctionRuntime, type FunctionRuntime, type FunctionRuntimeOptions } from './function-runtime.ts';
import { createSinkDeliverer } from './sink-deliverer.ts';

export interface ServeOptions extends FunctionRuntimeOptions {
  /** Port; default PORT of `env`, else 8080. 0 lets the system choose. */
  readonly port?: number;
  /** Address to listen on; default all interfaces, as Knative's runtime contract wants it. */
  readonly host?: string;
  readonly limits?: HttpServerLimits;
  /** How long `close` waits for calls under way, milliseconds; default 10 s. */
  readonly graceMs?: number;
}

/** A function that listens. */
export interface FunctionServer extends AsyncDisposable {
  readonly address: HttpServerAddress;
  readonly url: string;
  readonly port: number;
  /** Calls under way. */
  readonly active: number;
  /** Accepts nothing more, lets calls under way finish (at most `graceMs`), runs the shutdown hook, closes the port. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a function as an HTTP server: init hook, health paths, drain on close. The environment defaults to the process's;
 * `context.emit` delivers to K_SINK.
 */
export async function serve(definition: FunctionDefinition, options: ServeOptions = {}): Promise<FunctionServer> {
  const env = options.env ?? process.env;
  const clock = options.clock ?? realClock;
  const deliverer = options.deliver === undefined ? createSinkDeliverer() : undefined;
  const deliver = options.deliver ?? deliverer?.deliver;
  const runtime = createFunctionRuntime(definition, { ...options, env, clock, ...(deliver === undefined ? {} : { deliver }) });
  await runtime.start();
  const server = createHttpServer({
    handler: runtime.handler,
    host: options.host ?? '::',
    port: options.port ?? portOf(env['PORT']) ?? 8080,
    clock,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  const address = await server.listen();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await server.close(options.graceMs ?? 10_000);
      await closeRuntime(runtime, clock, options.graceMs ?? 10_000);
      await deliverer?.close();
    })();
    return closing;
  };
  return {
    address,
    url: `http://${address.host === '::' || address.host === '0.0.0.0' ? '127.0.0.1' : address.host}:${address.port}`,
    port: address.port,
    get active() {
      return runtime.active;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Closes a runtime, but does not wait for calls that never end. */
async function closeRuntime(runtime: FunctionRuntime, clock: Clock, graceMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.setTimer(graceMs, resolve);
    runtime.close().then(
      () => {
        timer[Symbol.dispose]();
        resolve();
      },
      (error: unknown) => {
        timer[Symbol.dispose]();
        reject(error as Error);
      },
    );
  });
}

/** A port number of an environment variable; an error when it is none. */
export function portOf(text: string | undefined, name = 'PORT'): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new KnativeError('FUNCTIONS_PORT_INVALID', `${name} is ${JSON.stringify(text)}`, {
    path: name,
    hint: 'a port is a number from 0 to 65535',
  });
}
