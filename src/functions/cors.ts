import type { Exchange } from '../http/exchange.ts';
import type { FunctionOptions } from './define-function.ts';

const methods = 'OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH';
/** Lets every origin in. */
export const anyOrigin: readonly string[] = ['access-control-allow-methods', methods, 'access-control-allow-origin', '*'];
const none: readonly string[] = [];

/**
 * CORS headers of an answer. An origin that is not listed gets none (the literal `null` would let opaque origins in); answers
 * that depend on the origin say so with Vary. Without the option: none, with faas conventions every origin.
 */
export function corsHeaders(exchange: Exchange, cors: FunctionOptions['cors'], faas: boolean): readonly string[] {
  if (cors === undefined) return faas ? anyOrigin : none;
  const origins = typeof cors === 'function' ? cors() : cors;
  if (origins === '*') return anyOrigin;
  const origin = exchange.header('origin');
  const allowed = origins.includes('*') ? '*' : origin !== undefined && origins.includes(origin) ? origin : undefined;
  if (allowed === undefined) return ['vary', 'Origin', 'access-control-allow-methods', methods];
  return ['vary', 'Origin', 'access-control-allow-methods', methods, 'access-control-allow-origin', allowed];
}

/** Answers OPTIONS when CORS is on. A function without faas conventions still sees OPTIONS requests that are no preflight. */
export function preflight(exchange: Exchange, cors: FunctionOptions['cors'], faas: boolean): boolean {
  const asked = exchange.header('access-control-request-method') !== undefined;
  if (!asked && !faas) return false;
  const headers = [
    ...corsHeaders(exchange, cors, faas),
    'access-control-allow-headers',
    exchange.header('access-control-request-headers') ?? '*',
  ];
  exchange.respond(204, faas ? ['content-type', 'application/json; charset=utf-8', ...headers] : headers);
  return true;
}
