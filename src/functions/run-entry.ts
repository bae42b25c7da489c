import type { Environment } from './context.ts';
import { loadFunction } from './load-function.ts';
import { serve, type FunctionServer } from './serve.ts';
import { createStandardLogger } from './standard-logger.ts';

/** What an entry needs to start a function. */
export interface EntryStart {
  readonly modulePath: string;
  readonly env: Environment;
  readonly port?: number;
  readonly host: string;
}

/** Loads a module and serves its function; the log goes to standard output as JSON lines, at FUNC_LOG_LEVEL (default warn). */
export async function startEntry(start: EntryStart): Promise<FunctionServer> {
  const { definition } = await loadFunction(start.modulePath);
  return serve(definition, {
    env: start.env,
    host: start.host,
    logger: createStandardLogger(start.env),
    ...(start.port === undefined ? {} : { port: start.port }),
  });
}
