import { KnativeError } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ResultRules } from './result.ts';
import { sendResult } from './result.ts';

/** Media types that a plain function can answer with, by preference. */
const offered = ['application/json', 'text/plain', 'application/octet-stream'] as const;
type Offered = (typeof offered)[number];

/**
 * Sends what a plain function returned in the representation that Accept asks for: JSON, text or bytes. Without Accept the
 * value decides as it does for other functions. 406 when nothing fits.
 */
export function answerPlain(exchange: Exchange, value: unknown, rules: ResultRules): void | Promise<void> {
  const accept = exchange.header('accept');
  if (
    accept === undefined ||
    value === undefined ||
    value === null ||
    (typeof value === 'object' && Symbol.asyncIterator in value)
  ) {
    return sendResult(exchange, value, rules);
  }
  const type = negotiate(accept, value);
  if (type === undefined) {
    throw new KnativeError('FUNCTIONS_NOT_ACCEPTABLE', `cannot answer with ${accept}`, {
      status: 406,
      hint: `ask for one of ${offered.join(', ')}`,
    });
  }
  const headers = ['content-type', type === 'application/octet-stream' ? type : `${type}; charset=utf-8`, ...rules.headers];
  if (value instanceof Uint8Array && type !== 'application/json') exchange.respond(200, headers, value);
  else if (type === 'application/json')
    exchange.respond(200, headers, JSON.stringify(value instanceof Uint8Array ? [...value] : value) ?? 'null');
  else exchange.respond(200, headers, typeof value === 'object' ? JSON.stringify(value) : String(value));
}

// The offered type with the highest quality; among equals the one that the value itself suggests.
function negotiate(accept: string, value: unknown): Offered | undefined {
  const own: Offered =
    typeof value === 'string' ? 'text/plain' : value instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
  let best: Offered | undefined;
  let bestQuality = 0;
  for (const type of [own, ...offered]) {
    const quality = qualityOf(accept, type);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

// The most specific range that matches decides (RFC 9110, 12.5.1).
function qualityOf(accept: string, type: Offered): number {
  let quality = 0;
  let specificity = -1;
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const matched = range === type ? 2 : range === `${type.split('/')[0] ?? ''}/*` ? 1 : range === '*/*' ? 0 : -1;
    if (matched <= specificity) continue;
    specificity = matched;
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    const parsed = given === undefined ? 1 : Number(given.slice(2));
    quality = Number.isFinite(parsed) ? parsed : 0;
  }
  return quality;
}
