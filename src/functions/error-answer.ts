import { KnativeError, messageOf } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';

/** Answers a failed call. `thrown`: the function threw it; otherwise the runtime refused the request. */
export type ErrorAnswer = (exchange: Exchange, error: unknown, thrown: boolean, corsHeaders: readonly string[]) => void;

/** The status that an error asks for: `status`, `statusCode`, or a numeric `code`, from 400 to 599; else 500. */
export function statusOfError(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  const { status, statusCode, code } = error as { status?: unknown; statusCode?: unknown; code?: unknown };
  for (const candidate of [status, statusCode, code]) if (isErrorStatus(candidate)) return candidate;
  return 500;
}

function isErrorStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599;
}

/**
 * Text answer with the error's status. The message is shown for statuses below 500, which are meant for the caller, and with
 * `expose` for all.
 */
export function nativeErrorAnswer(expose: boolean): ErrorAnswer {
  return (exchange, error, _thrown, corsHeaders) => {
    const status = statusOfError(error);
    const hint = KnativeError.is(error) && error.hint !== undefined ? ` (${error.hint})` : '';
    const text = expose || status < 500 ? `${messageOf(error)}${hint}` : reasonOf(status);
    exchange.respond(status, ['content-type', 'text/plain; charset=utf-8', ...corsHeaders], `${text}\n`);
  };
}

/**
 * As faas-js-runtime answers: what the function threw as text with `error.code` as status, what the runtime refused as a JSON
 * object. Codes that are no error status give 500; a thrown text is shown.
 */
export const faasErrorAnswer: ErrorAnswer = (exchange, error, thrown, corsHeaders) => {
  if (thrown) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const text = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : messageOf(error);
    exchange.respond(isErrorStatus(code) ? code : 500, ['content-type', 'text/plain; charset=utf-8', ...corsHeaders], text);
    return;
  }
  const status = statusOfError(error);
  const body: Record<string, unknown> = { statusCode: status };
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  // Node's own codes are part of what callers see; ours stay in the log.
  if (typeof code === 'string' && code.startsWith('ERR_')) body['code'] = code;
  body['error'] = reasonOf(status);
  body['message'] = messageOf(error);
  const invalidHeader = code === 'ERR_INVALID_HTTP_TOKEN' || code === 'ERR_INVALID_CHAR';
  exchange.respond(
    status,
    invalidHeader ? [] : ['content-type', 'application/json; charset=utf-8', ...corsHeaders],
    JSON.stringify(body),
  );
};

export function reasonOf(status: number): string {
  return process.getBuiltinModule('node:http').STATUS_CODES[status] ?? 'Error';
}
