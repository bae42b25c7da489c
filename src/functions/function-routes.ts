import { KnativeError } from '../errors.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { isFunctionDefinition, type FunctionDefinition } from './define-function.ts';
import { createFunctionRuntime, type FunctionRuntime, type FunctionRuntimeOptions } from './function-runtime.ts';

/**
 * Several functions by address: `'/orders'` (this path and below), `'api.example.com'` (a host), `'api.example.com/v1'`, `'/'` (the
 * rest). The longest path on the most specific host wins.
 */
export type FunctionRoutes = Readonly<Record<string, FunctionDefinition>>;

interface Route {
  readonly host: string;
  /** Without a slash at its end; '' for all. */
  readonly path: string;
  readonly runtime: FunctionRuntime;
}

/** One runtime over several functions; each keeps its own hooks and settings, and sees the whole path. */
export function createRoutesRuntime(routes: FunctionRoutes, options: FunctionRuntimeOptions = {}): FunctionRuntime {
  const table = Object.entries(routes)
    .map(([key, definition]) => toRoute(key, definition, options))
    .sort((a, b) => Number(b.host !== '') - Number(a.host !== '') || b.path.length - a.path.length);
  const handler: Handler = (exchange) => {
    const route = table.find((candidate) => matches(candidate, exchange));
    if (route !== undefined) return route.runtime.handler(exchange);
    const isProbe = exchange.target === '/health/liveness' || exchange.target === '/health/readiness';
    exchange.respond(isProbe ? 200 : 404, ['content-type', 'text/plain; charset=utf-8'], isProbe ? 'OK' : 'no function here\n');
    return undefined;
  };
  const all = (run: (runtime: FunctionRuntime) => Promise<void>): Promise<void> =>
    Promise.all(table.map(({ runtime }) => run(runtime))).then(() => undefined);
  return {
    handler,
    start: () => all((runtime) => runtime.start()),
    close: (graceMs) => all((runtime) => runtime.close(graceMs)),
    get active() {
      return table.reduce((total, { runtime }) => total + runtime.active, 0);
    },
    [Symbol.asyncDispose]: () => all((runtime) => runtime.close()),
  };
}

function toRoute(key: string, definition: FunctionDefinition, options: FunctionRuntimeOptions): Route {
  if (!isFunctionDefinition(definition)) {
    throw new KnativeError('FUNCTIONS_NOT_A_FUNCTION', `the route ${JSON.stringify(key)} has no function`, { path: key });
  }
  const slash = key.indexOf('/');
  const host = (slash < 0 ? key : key.slice(0, slash)).toLowerCase();
  const path = slash < 0 ? '' : key.slice(slash).replace(/\/+$/, '');
  return { host, path, runtime: createFunctionRuntime(definition, options) };
}

function matches({ host, path }: Route, exchange: Exchange): boolean {
  if (host !== '' && exchange.host.replace(/:\d+$/, '').toLowerCase() !== host) return false;
  const { target } = exchange;
  if (!target.startsWith(path)) return false;
  const next = target.charCodeAt(path.length);
  // The path itself, something below it, or its query.
  return path === '' || Number.isNaN(next) || next === 0x2f || next === 0x3f;
}
