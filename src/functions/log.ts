import type { LogFields, Logger } from '../logger.ts';

/** One level's method: `log.info('text')`, or pino's `log.info({ orderId }, 'text')`. Further values are appended to the text. */
export type LogMethod = (fieldsOrMessage: unknown, ...rest: readonly unknown[]) => void;

/** The log of a call: pino's methods over the package's `Logger`; `fatal` goes to its highest level. */
export interface FunctionLog {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  child(fields: LogFields): FunctionLog;
}

export function createFunctionLog(logger: Logger): FunctionLog {
  const at =
    (write: (fields: LogFields, message: string) => void, fixed: LogFields = {}): LogMethod =>
    (first, ...rest) => {
      if (typeof first === 'string') write(fixed, textOf([first, ...rest]));
      else write({ ...fixed, ...fieldsOf(first) }, rest.length === 0 ? '' : textOf(rest));
    };
  return {
    trace: at(logger.trace.bind(logger)),
    debug: at(logger.debug.bind(logger)),
    info: at(logger.info.bind(logger)),
    warn: at(logger.warn.bind(logger)),
    error: at(logger.error.bind(logger)),
    fatal: at(logger.error.bind(logger), { fatal: true }),
    child: (fields) => createFunctionLog(logger.child(fields)),
  };
}

function fieldsOf(value: unknown): LogFields {
  if (value instanceof Error) return { err: { type: value.name, message: value.message, stack: value.stack } };
  if (typeof value === 'object' && value !== null) return { ...value };
  return { value };
}

// Applies %s, %d, %j and %o as pino does, and appends what has no place in the text.
function textOf(parts: readonly unknown[]): string {
  const [format, ...values] = parts;
  let next = 0;
  const text = String(format).replace(/%[sdifjoO%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (next >= values.length) return directive;
    const value = values[next++];
    return /[joO]/.test(directive) ? (JSON.stringify(value) ?? String(value)) : String(value);
  });
  return [
    text,
    ...values.slice(next).map((value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))),
  ].join(' ');
}
