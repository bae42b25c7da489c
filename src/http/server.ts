import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { realClock, sleep, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { Handler } from './exchange.ts';
import { handle } from './handle.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { createListener, type Listener } from './listener.ts';
import { NodeExchange, NodeUpgradeExchange, type ServerState } from './node-exchange.ts';
import type { TlsOptions } from './tls.ts';

/** Bounds of one server; each protects it from clients that are slow, greedy or broken. */
export interface HttpServerLimits {
  /** Bytes of a request head; default limits.headBytesMax. More is answered 431. */
  readonly headBytesMax?: number;
  /** Time for a request head to arrive, milliseconds; default 60 s. Later is answered 408. */
  readonly headTimeoutMs?: number;
  /** How long a connection may stay idle between requests, milliseconds; default 75 s. */
  readonly keepAliveTimeoutMs?: number;
  /** How long a client may go on sending a body that has been answered already, milliseconds; default 5 s. Then it is cut off. */
  readonly discardTimeoutMs?: number;
  /** Open connections; default unlimited. More are dropped. */
  readonly connectionsMax?: number;
}

export interface HttpServerOptions {
  readonly handler: Handler;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port; default 0, the system chooses. */
  readonly port?: number;
  readonly limits?: HttpServerLimits;
  /** Serves HTTPS; default plain HTTP. Either way HTTP/1.1 and HTTP/2 on the one port. */
  readonly tls?: TlsOptions;
  /** Lets several processes listen on the port; default false. */
  readonly reusePort?: boolean;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface HttpServerAddress {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, or `https:` with TLS. */
  readonly url: string;
}

export interface HttpServer extends AsyncDisposable {
  /** Opens the port. HTTP_ADDRESS_IN_USE when it is taken. */
  listen(): Promise<HttpServerAddress>;
  /** Where it listens; throws HTTP_NOT_LISTENING before `listen` and after `close`. */
  address(): HttpServerAddress;
  /** Requests being answered, upgraded connections included. */
  readonly active: number;
  /** Accepts no more connections, lets running requests finish; each answer ends its connection. Resolves when all are done. */
  drain(): Promise<void>;
  /** Drains for at most `graceMs` (default 10 s), then cuts what is left. Further calls wait for the first. */
  close(graceMs?: number): Promise<void>;
}

/** An HTTP server on node:http that answers with a `Handler`. Nothing happens before `listen`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NodeHttpServer(options);
}

class NodeHttpServer implements HttpServer {
  readonly #handler: Handler;
  readonly #host: string;
  readonly #port: number;
  readonly #limits: HttpServerLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #state: ServerState;
  readonly #scheme: 'http' | 'https';
  readonly #tls: TlsOptions | undefined;
  readonly #reusePort: boolean;
  readonly #tunnels = new Set<Socket>();
  #active = 0;
  #listener: Listener | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void)[] = [];

  constructor(options: HttpServerOptions) {
    this.#handler = options.handler;
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.#limits = options.limits ?? {};
    this.#state = { draining: false, discardTimeoutMs: this.#limits.discardTimeoutMs ?? 5_000, closed: () => this.#done() };
    this.#tls = options.tls;
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    this.#reusePort = options.reusePort === true;
    this.#clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    if (!Number.isInteger(this.#port) || this.#port < 0 || this.#port > 65_535) {
      throw new KnativeError('HTTP_OPTION_INVALID', `port must be 0 to 65535, got ${String(options.port)}`, { path: 'port' });
    }
  }

  get active(): number {
    return this.#active;
  }

  async listen(): Promise<HttpServerAddress> {
    if (this.#listener !== undefined) throw new KnativeError('HTTP_ALREADY_LISTENING', 'the server has been started already');
    const listener = this.#create();
    this.#listener = listener;
    const { server } = listener;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, this.#host, this.#port)));
      server.listen({ port: this.#port, host: this.#host, reusePort: this.#reusePort }, resolve);
    });
    server.on('error', (error) => this.#logger.error({ error: error.message }, 'http server failed'));
    return this.address();
  }

  address(): HttpServerAddress {
    const address = this.#listener?.server.address() as AddressInfo | null | undefined;
    if (address === null || address === undefined) throw new KnativeError('HTTP_NOT_LISTENING', 'the server is not listening');
    const { port } = address;
    const authority = this.#host.includes(':') ? `[${this.#host}]:${port}` : `${this.#host}:${port}`;
    return { host: this.#host, port, url: `${this.#scheme}://${authority}` };
  }

  async drain(): Promise<void> {
    this.#state.draining = true;
    const listener = this.#listener;
    listener?.server.close();
    listener?.closeIdle();
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    listener?.closeIdle();
  }

  close(graceMs = 10_000): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    const done = new AbortController();
    const grace = sleep(this.#clock, graceMs, done.signal).catch(() => undefined);
    await Promise.race([this.drain(), grace]);
    done.abort();
    for (const socket of this.#tunnels) socket.destroy();
    listener.closeAll();
    if (listener.server.listening) await new Promise<void>((resolve) => listener.server.close(() => resolve()));
  }

  #create(): Listener {
    return createListener(
      {
        headBytesMax: this.#limits.headBytesMax ?? limits.headBytesMax,
        headTimeoutMs: this.#limits.headTimeoutMs ?? 60_000,
        keepAliveTimeoutMs: this.#limits.keepAliveTimeoutMs ?? 75_000,
        connectionsMax: this.#limits.connectionsMax,
        tls: this.#tls,
      },
      {
        request: (request, reply, expectsContinue) => {
          const exchange = new NodeExchange(request, reply, this.#state, this.#scheme, expectsContinue);
          this.#active++;
          if (exchange.acceptable) handle(this.#handler, exchange, this.#logger);
          else exchange.respond(400, ['connection', 'close']);
        },
        upgrade: (request, socket, firstBytes) => this.#upgrade(request, socket, firstBytes),
        stream: (stream, headers, flags, rawHeaders) => {
          this.#active++;
          stream.on('close', this.#state.closed);
          handle(this.#handler, new Http2Exchange(stream, headers, rawHeaders, flags, this.#scheme), this.#logger);
        },
      },
    );
  }

  #upgrade(request: IncomingMessage, socket: Socket, firstBytes: Buffer): void {
    const { ServerResponse } = process.getBuiltinModule('node:http');
    const reply: ServerResponse = new ServerResponse(request);
    reply.assignSocket(socket);
    this.#active++;
    this.#tunnels.add(socket);
    socket.on('close', () => this.#tunnels.delete(socket));
    const exchange = new NodeUpgradeExchange(request, reply, this.#state, this.#scheme, { socket, firstBytes });
    handle(this.#handler, exchange, this.#logger);
  }

  #done(): void {
    this.#active--;
    if (this.#active > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

function listenError(error: Error, host: string, port: number): KnativeError {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') {
    return new KnativeError('HTTP_ADDRESS_IN_USE', `port ${port} on ${host} is taken`, {
      cause: error,
      path: 'port',
      hint: 'choose another port or stop the program that listens there',
    });
  }
  return new KnativeError('HTTP_LISTEN_FAILED', `cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
    path: 'port',
  });
}
