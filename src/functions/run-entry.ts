import { createLogger, logLevels, type Logger, type LogLevel } from '../logger.ts';
import type { Environment } from './context.ts';
import { loadFunction } from './load-function.ts';
import { serve, type FunctionServer } from './serve.ts';

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

/** A logger of JSON lines on standard output, as pino writes them. */
export function createStandardLogger(env: Environment): Logger {
  const wanted = env['FUNC_LOG_LEVEL'] ?? env['LOG_LEVEL'] ?? 'warn';
  const level = wanted === 'fatal' ? 'error' : logLevels.find((candidate) => candidate === wanted);
  return createLogger((lineLevel, fields, message) => {
    const { err, ...rest } = fields;
    const line = { level: pinoLevels[lineLevel], time: Date.now(), ...rest, ...(err === undefined ? {} : { err }), msg: message };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }, level ?? 'warn');
}

const pinoLevels: Readonly<Record<Exclude<LogLevel, 'silent'>, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50 };
