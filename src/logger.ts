/** Structured fields of a log line. */
export type LogFields = Record<string, unknown>;

/**
 * Where log lines go: pino's shape, so that a pino logger fits unchanged. The message is constant text; what varies goes into
 * the fields.
 */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

const ignore = (): void => undefined;

/** Drops every line: the default wherever a `logger` option is left out. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};

/** Levels in rising order of importance. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger that hands each line at or above `level` to `write` as `(level, fields, message)`. */
export function createLogger(
  write: (level: Exclude<LogLevel, 'silent'>, fields: LogFields, message: string) => void,
  level: LogLevel = 'info',
  fixed: LogFields = {},
): Logger {
  const threshold = logLevels.indexOf(level);
  const at = (name: Exclude<LogLevel, 'silent'>) =>
    logLevels.indexOf(name) < threshold
      ? ignore
      : (fields: LogFields, message: string): void => write(name, { ...fixed, ...fields }, message);
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLogger(write, level, { ...fixed, ...fields }),
  };
}
