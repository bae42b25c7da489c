import type { Exchange } from '../http/exchange.ts';

/**
 * True for what faas-js-runtime serves: `/` with GET, HEAD, POST and OPTIONS. Everything else is answered here, 404 for other paths and
 * 405 for other methods (404 there, although the path exists).
 */
export function isFaasRoute(exchange: Exchange): boolean {
  const { method, target } = exchange;
  const isRoot = target === '/' || target.startsWith('/?');
  if (isRoot && (method === 'GET' || method === 'HEAD' || method === 'POST' || method === 'OPTIONS')) return true;
  const type = ['content-type', 'application/json; charset=utf-8'];
  if (isRoot) {
    const body = { message: `Method ${method} not allowed`, error: 'Method Not Allowed', statusCode: 405 };
    exchange.respond(405, [...type, 'allow', 'GET, HEAD, POST, OPTIONS'], JSON.stringify(body));
  } else {
    const body = { message: `Route ${method}:${target} not found`, error: 'Not Found', statusCode: 404 };
    exchange.respond(404, type, JSON.stringify(body));
  }
  return false;
}
