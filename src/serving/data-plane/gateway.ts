import { respondText, type Exchange, type Handler } from '../../http/index.ts';
import { isValidHeader } from '../../http/raw-headers.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import { systemRandom, type Random } from '../../random.ts';
import { createTraceparents, formatTraceparent, parseTraceparent, type Tracer } from '../../telemetry/index.ts';
import type { Activator } from './activator.ts';
import { instanceHeaders } from './forwarded.ts';
import { answerNetworkProbe, networkProbeOf } from './probe-answers.ts';

/** What a gateway needs of the router's answer. */
export interface GatewayMatch {
  readonly namespace: string;
  readonly serviceName: string;
  readonly servicePort: number | string;
  readonly revision: string | undefined;
  readonly httpOption: 'Enabled' | 'Redirected';
  readonly rewriteHost: string | undefined;
  /** Headers to set, names and values in turn. */
  readonly appendHeaders: readonly string[];
}

/** The part of `Router` that a gateway uses. */
export interface GatewayRouter {
  match(request: {
    readonly host: string;
    readonly path: string;
    header(name: string): string | undefined;
    readonly listener?: 'public' | 'local';
  }): GatewayMatch | undefined;
}

export interface GatewayOptions {
  readonly router: GatewayRouter;
  readonly activator: Activator;
  /** Answers hosts that no route has; default 404. */
  readonly fallback?: Handler;
  /** Answers for backends that are Services without a revision; `undefined` when there is none. */
  readonly service?: (namespace: string, name: string, port: number | string) => Handler | undefined;
  /** `public`: cluster-local hosts do not exist here. Default `local`: all do. */
  readonly listener?: 'public' | 'local';
  /** The port that redirects to HTTPS name, asked at each; default: the one of the request's host. */
  readonly httpsPort?: () => number | undefined;
  /** Default: no spans; requests without a valid `traceparent` get one all the same. */
  readonly tracer?: Tracer;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** A match made ready for its requests. */
interface Prepared {
  readonly key: string;
  readonly set: readonly string[];
  readonly originalHost: string | undefined;
}

/** How many Services may point to each other before a request is given up. */
const hopsMax = 4;

/**
 * The front door: finds the revision by host, path, tag and split, adds what the ingress adds, and hands the request to the
 * activator. A handler like any other: mount it on a server of `http/`, on the in-memory network, or behind your own.
 */
export function createGateway(options: GatewayOptions): Handler {
  return new Gateway(options).handle;
}

class Gateway {
  readonly #options: GatewayOptions;
  readonly #logger: Logger;
  readonly #tracer: Tracer | undefined;
  readonly #newTraceparent: () => string;
  readonly #listener: 'public' | 'local';
  readonly #prepared = new WeakMap<GatewayMatch, Prepared>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#tracer = options.tracer;
    this.#newTraceparent = createTraceparents(options.random ?? systemRandom);
    this.#listener = options.listener ?? 'local';
  }

  readonly handle: Handler = (exchange) => {
    const query = new RouteQuery(exchange, exchange.host, this.#listener);
    const match = this.#options.router.match(query);
    if (networkProbeOf(exchange) === 'probe') {
      if (match === undefined) respondText(exchange, 404, `no route for host ${exchange.host}`);
      else answerNetworkProbe(exchange);
      return undefined;
    }
    if (match === undefined) return this.#unrouted(exchange);
    if (match.httpOption === 'Redirected' && exchange.scheme === 'http') {
      exchange.respond(301, ['location', `https://${this.#secureAuthority(exchange.host)}${exchange.target}`]);
      return undefined;
    }
    return this.#pass(exchange, match, 0);
  };

  #pass(exchange: Exchange, match: GatewayMatch, hop: number): void | Promise<void> {
    if (match.revision === undefined) return this.#toService(exchange, match, hop);
    const prepared = this.#prepared.get(match) ?? this.#prepare(match, match.revision);
    const { rawHeaders, host } = instanceHeaders(exchange, { role: 'ingress', set: prepared.set });
    this.#trace(exchange, rawHeaders, prepared.key);
    this.#options.activator.handle(prepared.key, exchange, { rawHeaders, host: prepared.originalHost ?? host });
    return undefined;
  }

  #secureAuthority(host: string): string {
    const port = this.#options.httpsPort?.();
    if (port === undefined) return host;
    const name = host.replace(/:\d*$/, '');
    return port === 443 ? name : `${name}:${port}`;
  }

  /** A DomainMapping leads to the host of a Service, which the router knows; other Services are the owner's business. */
  #toService(exchange: Exchange, match: GatewayMatch, hop: number): void | Promise<void> {
    const handler = this.#options.service?.(match.namespace, match.serviceName, match.servicePort);
    if (handler !== undefined) return handler(exchange);
    const host = match.rewriteHost ?? `${match.serviceName}.${match.namespace}`;
    const next = hop < hopsMax ? this.#options.router.match(new RouteQuery(exchange, host, 'local')) : undefined;
    if (next !== undefined && next !== match) return this.#pass(exchange, next, hop + 1);
    respondText(exchange, 503, `no backend for service ${match.namespace}/${match.serviceName}`);
    return undefined;
  }

  #unrouted(exchange: Exchange): void | Promise<void> {
    const { fallback } = this.#options;
    if (fallback !== undefined) return fallback(exchange);
    respondText(exchange, 404, `no route for host ${exchange.host === '' ? '(none)' : exchange.host}`);
    return undefined;
  }

  #prepare(match: GatewayMatch, revision: string): Prepared {
    const set: string[] = [];
    let originalHost = match.rewriteHost;
    for (let i = 0; i + 1 < match.appendHeaders.length; i += 2) {
      const name = match.appendHeaders[i] ?? '';
      const value = match.appendHeaders[i + 1] ?? '';
      const lower = name.toLowerCase();
      if (lower === 'k-original-host') originalHost = value;
      // These two are the ingress' message to the activator, which is this process.
      else if (lower === 'knative-serving-namespace' || lower === 'knative-serving-revision') continue;
      else if (isValidHeader(name, value)) set.push(name, value);
      else this.#logger.warn({ header: name, revision }, 'route header left out: not a valid header');
    }
    const prepared = { key: `${match.namespace}/${revision}`, set, originalHost };
    this.#prepared.set(match, prepared);
    return prepared;
  }

  /** Puts the request into its trace: below the caller's span with a tracer, else as it came, or in a trace of its own. */
  #trace(exchange: Exchange, rawHeaders: string[], revision: string): void {
    const parent = parseTraceparent(exchange.header('traceparent'));
    if (this.#tracer === undefined) {
      if (parent === undefined) setTraceparent(rawHeaders, this.#newTraceparent());
      return;
    }
    const span = this.#tracer.start(`${exchange.method} ${revision}`, {
      kind: 'server',
      parent,
      attributes: { 'http.request.method': exchange.method, 'url.scheme': exchange.scheme, 'server.address': exchange.host },
    });
    setTraceparent(rawHeaders, formatTraceparent(span.context));
    exchange.onFinished((error) => span.end(error));
  }
}

function setTraceparent(rawHeaders: string[], value: string): void {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 11 && rawHeaders[i]?.toLowerCase() === 'traceparent') {
      rawHeaders[i + 1] = value;
      return;
    }
  }
  rawHeaders.push('traceparent', value);
}

/** What the router is asked. */
class RouteQuery {
  readonly host: string;
  readonly path: string;
  readonly listener: 'public' | 'local';
  readonly #exchange: Exchange;

  constructor(exchange: Exchange, host: string, listener: 'public' | 'local') {
    this.#exchange = exchange;
    this.host = host;
    this.path = exchange.target;
    this.listener = listener;
  }

  header(name: string): string | undefined {
    return this.#exchange.header(name);
  }
}
