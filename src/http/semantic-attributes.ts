import type { Exchange } from './exchange.ts';

/** Attributes of OpenTelemetry's semantic conventions for HTTP. */
export type HttpAttributes = Readonly<Record<string, string | number>>;

const knownMethods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);
const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Those of a received request: method, protocol version and the address that it asked for. */
export function requestAttributes(exchange: Exchange): HttpAttributes {
  const method = exchange.method.toUpperCase();
  return {
    // Others are one, as the conventions want it: clients make up what they like.
    'http.request.method': knownMethods.has(method) ? method : '_OTHER',
    'network.protocol.version': exchange.httpVersion,
    ...addressAttributes(exchange.host, exchange.scheme),
  };
}

/** `server.address` and `server.port` of an authority; empty for none, and without the port that the scheme implies. */
export function addressAttributes(authority: string, scheme?: 'http' | 'https'): HttpAttributes {
  const port = /:(\d+)$/.exec(authority)?.[1];
  const address = authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return {
    ...(address === '' ? {} : { 'server.address': address }),
    ...(port === undefined || (scheme !== undefined && port === defaultPorts[scheme]) ? {} : { 'server.port': Number(port) }),
  };
}
