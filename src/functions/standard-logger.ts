import { createLogger, logLevels, type Logger, type LogLevel } from '../logger.ts';
import type { Environment } from './context.ts';

/** A logger of JSON lines on standard output, as pino writes them, at FUNC_LOG_LEVEL, else LOG_LEVEL, else warn. */
export function createStandardLogger(env: Environment): Logger {
  const wanted = env['FUNC_LOG_LEVEL'] ?? env['LOG_LEVEL'] ?? 'warn';
  const level = wanted === 'fatal' ? 'error' : logLevels.find((candidate) => candidate === wanted);
  return createLogger((lineLevel, fields, message) => {
    const { fatal, ...rest } = fields;
    const line = { level: fatal === true ? 60 : pinoLevels[lineLevel], time: Date.now(), ...rest, msg: message };
    process.stdout.write(`${toJson(line)}\n`);
  }, level ?? 'warn');
}

const pinoLevels: Readonly<Record<Exclude<LogLevel, 'silent'>, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50 };

// A log line must come out whatever a function puts into it.
function toJson(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  } catch {
    return JSON.stringify({ level: line['level'], time: line['time'], msg: line['msg'], fields: 'not serialisable' });
  }
}
