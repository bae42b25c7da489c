import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { realClock, sleep, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { Handler } from './exchange.ts';
import { handle } from './handle.ts';
import { NodeExchange, NodeUpgradeExchange, type ServerState } from './node-exchange.ts';

/** Bounds of one server; each protects it from clients that are slow, greedy or broken. */
export interface HttpServerLimits {
  /** Bytes of a request head; default limits.headBytesMax. More is answered 431. */
  readonly headBytesMax?: number;
  /** Time for a request head to arrive, milliseconds; default 60 s. Later is answered 408. */
  readonly headTimeoutMs?: number;
  /** How long a connection may stay idle between requests, milliseconds; default 75 s. */
  readonly keepAliveTimeoutMs?: number;
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
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface HttpServerAddress {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`. */
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
  readonly #state: ServerState = { draining: false };
  readonly #tunnels = new Set<Socket>();
  #active = 0;
  #server: Server | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void)[] = [];

  constructor(options: HttpServerOptions) {
    this.#handler = options.handler;
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.#limits = options.limits ?? {};
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
    if (this.#server !== undefined) throw new KnativeError('HTTP_ALREADY_LISTENING', 'the server has been started already');
    const server = this.#create();
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, this.#host, this.#port)));
      server.listen(this.#port, this.#host, resolve);
    });
    server.on('error', (error) => this.#logger.error({ error: error.message }, 'http server failed'));
    return this.address();
  }

  address(): HttpServerAddress {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    if (address === null || address === undefined) throw new KnativeError('HTTP_NOT_LISTENING', 'the server is not listening');
    const { port } = address;
    const authority = this.#host.includes(':') ? `[${this.#host}]:${port}` : `${this.#host}:${port}`;
    return { host: this.#host, port, url: `http://${authority}` };
  }

  async drain(): Promise<void> {
    this.#state.draining = true;
    this.#server?.close();
    this.#server?.closeIdleConnections();
    if (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#server?.closeIdleConnections();
  }

  close(graceMs = 10_000): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const done = new AbortController();
    const grace = sleep(this.#clock, graceMs, done.signal).catch(() => undefined);
    await Promise.race([this.drain(), grace]);
    done.abort();
    server.closeAllConnections();
    for (const socket of this.#tunnels) socket.destroy();
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #create(): Server {
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer({
      maxHeaderSize: this.#limits.headBytesMax ?? limits.headBytesMax,
      headersTimeout: this.#limits.headTimeoutMs ?? 60_000,
      // Bodies may be endless: what bounds them is the revision's own time-out.
      requestTimeout: 0,
      keepAliveTimeout: this.#limits.keepAliveTimeoutMs ?? 75_000,
      // The check runs at this period, so a short limit needs a short one.
      connectionsCheckingInterval: Math.min(30_000, Math.max(50, (this.#limits.headTimeoutMs ?? 60_000) / 2)),
      noDelay: true,
    });
    if (this.#limits.connectionsMax !== undefined) server.maxConnections = this.#limits.connectionsMax;
    server.on('request', (request, reply) => this.#answer(new NodeExchange(request, reply, this.#state, 'http', false), reply));
    server.on('checkContinue', (request: IncomingMessage, reply: ServerResponse) =>
      this.#answer(new NodeExchange(request, reply, this.#state, 'http', true), reply),
    );
    server.on('upgrade', (request: IncomingMessage, socket: Socket, firstBytes: Buffer) =>
      this.#upgrade(request, socket, firstBytes),
    );
    server.on('clientError', (error: Error & { code?: string }, socket: Socket) => refuse(error, socket));
    return server;
  }

  #answer(exchange: NodeExchange, reply: ServerResponse): void {
    this.#active++;
    reply.on('close', () => this.#done());
    handle(this.#handler, exchange, this.#logger);
  }

  #upgrade(request: IncomingMessage, socket: Socket, firstBytes: Buffer): void {
    const { ServerResponse } = process.getBuiltinModule('node:http');
    const reply = new ServerResponse(request);
    reply.assignSocket(socket);
    socket.on('error', () => undefined);
    this.#active++;
    this.#tunnels.add(socket);
    reply.on('finish', () => socket.end());
    socket.on('close', () => {
      this.#tunnels.delete(socket);
      this.#done();
    });
    const exchange = new NodeUpgradeExchange(request, reply, this.#state, 'http', { socket, firstBytes });
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

/** Answers what node:http's parser or its limits refuse, and ends the connection. */
function refuse(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // A client that keeps sending must not keep the socket alive.
  socket.destroySoon();
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
