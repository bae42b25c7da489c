import { KnativeError, messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Exchange, Handler } from './exchange.ts';

/**
 * Runs a handler and turns what it throws or rejects with into an answer: the error's own status and message when it is a
 * KnativeError with a status below 500, else 500. After the head has gone the connection is cut, so that the client cannot
 * take a part for the whole.
 */
export function handle(handler: Handler, exchange: Exchange, logger: Logger): void {
  let result: void | Promise<void>;
  try {
    result = handler(exchange);
  } catch (error) {
    answerError(exchange, error, logger);
    return;
  }
  if (result instanceof Promise) result.catch((error: unknown) => answerError(exchange, error, logger));
}

/** Plain-text answer with a line break at its end, as upstream's servers write errors. */
export function respondText(exchange: Exchange, status: number, text: string, rawHeaders: readonly string[] = []): void {
  exchange.respond(
    status,
    ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff', ...rawHeaders],
    `${text}\n`,
  );
}

function answerError(exchange: Exchange, error: unknown, logger: Logger): void {
  const status = KnativeError.is(error) ? (error.status ?? 500) : 500;
  if (status >= 500) {
    logger.error({ method: exchange.method, target: exchange.target, error: messageOf(error) }, 'request handler failed');
  }
  try {
    if (exchange.headSent) exchange.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    else respondText(exchange, status, status < 500 ? messageOf(error) : 'internal server error');
  } catch (failure) {
    logger.error({ error: messageOf(failure) }, 'error answer failed');
    exchange.destroy();
  }
}
