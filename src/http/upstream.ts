import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { Http2Upstream } from './http2-upstream.ts';
import { Http1Connection, type ConnectionOwner, type Unseen } from './http1-connection.ts';

export interface UpstreamOptions {
  readonly clock?: Clock;
  /** How long an idle connection is kept, milliseconds, unless the backend's Keep-Alive header says less; default 30 s. */
  readonly keepAliveMs?: number;
}

/** `auto`: HTTP/2 for exchanges that came by HTTP/2, else HTTP/1.1. */
export type UpstreamProtocol = 'http1' | 'h2c' | 'auto';

/**
 * Passes exchanges on to backends over pooled connections: the most recently used one first, bodies streamed both ways, framing
 * checked strictly. What fails before the response is answered 502 with the reason.
 */
export interface Upstream {
  /** Sends the exchange to `host:port`. `unseen` is called instead of an answer when no connection could be made. */
  forward(exchange: Exchange, address: string, unseen: Unseen, protocol?: UpstreamProtocol): void;
  /** Cuts all connections. */
  close(): void;
}

export function createUpstream(options: UpstreamOptions = {}): Upstream {
  return new Http1Upstream(options);
}

const sweepMs = 1_000;

class Http1Upstream implements Upstream, ConnectionOwner {
  readonly #clock: Clock;
  readonly #keepAliveMs: number;
  readonly #idle = new Map<string, Http1Connection[]>();
  readonly #all = new Set<Http1Connection>();
  #sweep: Disposable | undefined;
  #http2: Http2Upstream | undefined;

  constructor(options: UpstreamOptions) {
    this.#clock = options.clock ?? realClock;
    this.#keepAliveMs = options.keepAliveMs ?? 30_000;
  }

  forward(exchange: Exchange, address: string, unseen: Unseen, protocol: UpstreamProtocol = 'http1'): void {
    // A switch of protocols exists in HTTP/1.1 only.
    if (protocol !== 'http1' && exchange.upgrade === undefined && (protocol === 'h2c' || exchange.httpVersion === '2.0')) {
      this.#http2 ??= new Http2Upstream();
      this.#http2.forward(exchange, address, unseen);
      return;
    }
    const connection = this.#idle.get(address)?.pop() ?? this.#connect(address);
    connection.start(exchange, unseen);
  }

  close(): void {
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = undefined;
    for (const connection of this.#all) connection.close();
    this.#idle.clear();
    this.#http2?.close();
    this.#http2 = undefined;
  }

  idle(connection: Http1Connection, keepAliveMs: number | undefined): void {
    // A second before the backend gives up: a request must not meet the closing connection.
    const keepMs = keepAliveMs === undefined ? this.#keepAliveMs : Math.min(this.#keepAliveMs, keepAliveMs - 1_000);
    if (keepMs <= 0) {
      connection.close();
      return;
    }
    connection.keepMs = keepMs;
    connection.sweeps = 0;
    const list = this.#idle.get(connection.authority);
    if (list === undefined) this.#idle.set(connection.authority, [connection]);
    else list.push(connection);
    this.#sweep ??= this.#clock.setTimer(sweepMs, () => this.#closeIdle());
  }

  closed(connection: Http1Connection): void {
    this.#all.delete(connection);
    const list = this.#idle.get(connection.authority);
    const at = list?.indexOf(connection) ?? -1;
    if (at >= 0) list?.splice(at, 1);
    if (list?.length === 0) this.#idle.delete(connection.authority);
  }

  retry(authority: string, exchange: Exchange, unseen: Unseen): void {
    this.#connect(authority).start(exchange, unseen);
  }

  afterSecond(run: () => void): Disposable {
    return this.#clock.setTimer(1_000, run);
  }

  #connect(authority: string): Http1Connection {
    const connection = new Http1Connection(authority, parseAddress(authority), this);
    this.#all.add(connection);
    return connection;
  }

  /** Connections age by sweeps, so that the path of a request reads no clock. */
  #closeIdle(): void {
    this.#sweep = undefined;
    let left = false;
    for (const list of this.#idle.values()) {
      for (const connection of [...list]) {
        connection.sweeps++;
        if (connection.sweeps * sweepMs >= connection.keepMs) {
          list.splice(list.indexOf(connection), 1);
          connection.close();
        } else left = true;
      }
    }
    if (left) this.#sweep = this.#clock.setTimer(sweepMs, () => this.#closeIdle());
  }
}

/** `host:port` with an IPv6 host in brackets. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(at + 1));
  if (at <= 0 || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new KnativeError('HTTP_ADDRESS_INVALID', `not a host:port: ${JSON.stringify(address)}`);
  }
  return { host, port };
}
