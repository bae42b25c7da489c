export {
  type BodyFlow,
  type BodySink,
  type ClientRequest,
  type ClientResponse,
  type Exchange,
  type Handler,
  type HttpClient,
  type Tunnel,
} from './exchange.ts';
export { respondWith, toRequest } from './fetch-bridge.ts';
export { handle, respondText } from './handle.ts';
export { createMemoryNetwork, type MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts';
export { createNodeListener, type NodeListener } from './node-listener.ts';
export { headerValue, isHopByHop, isValidHeader, rawHeadersFrom, withoutHeaders, type RawHeaders } from './raw-headers.ts';
export { bodyOf, readBody } from './read-body.ts';
export {
  createHttpServer,
  type HttpServer,
  type HttpServerAddress,
  type HttpServerLimits,
  type HttpServerOptions,
} from './server.ts';
export { createHttpClient, resolveLocalhost, type HttpClientOptions } from './undici-client.ts';
export { createUpstream, parseAddress, type Upstream, type UpstreamOptions, type UpstreamProtocol } from './upstream.ts';
export { type Unseen } from './http1-connection.ts';
export { pipeTunnels } from './tunnel.ts';
export { type TlsCertificate, type TlsOptions } from './tls.ts';
export { PassingExchange } from './passing-exchange.ts';
export { addressAttributes, requestAttributes, type HttpAttributes } from './semantic-attributes.ts';
