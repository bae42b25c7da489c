import type { Exchange } from '../http/exchange.ts';
import { isValidHeader } from '../http/raw-headers.ts';

/**
 * The abuse protection handshake of CloudEvents web hooks: a sender asks by OPTIONS with WebHook-Request-Origin and gets the
 * permission of its own origin, without a rate limit unless it asked for one.
 */
export function answerHandshake(exchange: Exchange): boolean {
  const origin = exchange.header('webhook-request-origin');
  if (origin === undefined || !isValidHeader('webhook-allowed-origin', origin)) return false;
  const rate = exchange.header('webhook-request-rate');
  const headers = ['allow', 'POST, OPTIONS', 'webhook-allowed-origin', origin];
  if (rate !== undefined && /^[1-9]\d*$/.test(rate)) headers.push('webhook-allowed-rate', rate);
  exchange.respond(200, headers);
  return true;
}
