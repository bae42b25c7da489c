import type { Exchange } from './exchange.ts';

/** Attributes of OpenTelemetry's semantic conventions for HTTP. */
export type HttpAttributes = Readonly<Record<string, string | number>>;

/** Those of a received request: method, protocol version and the address that it asked for. */
export function requestAttributes(exchange: Exchange): HttpAttributes {
  return {
    'http.request.method': exchange.method,
    'network.protocol.version': exchange.httpVersion,
    ...addressAttributes(exchange.host),
  };
}

/** `server.address` and `server.port` of an authority; empty for none. */
export function addressAttributes(authority: string): HttpAttributes {
  const port = /:(\d+)$/.exec(authority)?.[1];
  const address = authority.replace(/:\d+$/, '');
  return {
    ...(address === '' ? {} : { 'server.address': address }),
    ...(port === undefined ? {} : { 'server.port': Number(port) }),
  };
}
