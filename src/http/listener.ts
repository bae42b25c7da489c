import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { secureOptions, type TlsOptions, unnamedCertificate } from './tls.ts';

export interface ListenerOptions {
  readonly headBytesMax: number;
  readonly headTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly connectionsMax: number | undefined;
  readonly tls: TlsOptions | undefined;
}

/** Where what arrives goes. */
export interface ListenerEvents {
  request(request: IncomingMessage, reply: ServerResponse, expectsContinue: boolean): void;
  upgrade(request: IncomingMessage, socket: Socket, firstBytes: Buffer): void;
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: readonly string[]): void;
}

/** A port that speaks HTTP/1.1 and HTTP/2, by ALPN with TLS, by the first bytes without. */
export interface Listener {
  readonly server: Server;
  /** Ends connections that carry no request. */
  closeIdle(): void;
  /** Cuts every connection. */
  closeAll(): void;
}

export function createListener(options: ListenerOptions, events: ListenerEvents): Listener {
  const serverOptions: ServerOptions & { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
    maxHeaderSize: options.headBytesMax,
    headersTimeout: options.headTimeoutMs,
    // Bodies may be endless: what bounds them is the revision's own time limit.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    // The check runs at this period, so a short limit needs a short one.
    connectionsCheckingInterval: Math.min(30_000, Math.max(50, options.headTimeoutMs / 2)),
    noDelay: true,
    // HTTP/2 is spoken with prior knowledge only: a request to upgrade to it is an ordinary request.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() !== 'h2c',
  };
  const server =
    options.tls === undefined
      ? process.getBuiltinModule('node:http').createServer(serverOptions)
      : process.getBuiltinModule('node:https').createServer({ ...serverOptions, ...secureOptions(options.tls) });
  if (options.connectionsMax !== undefined) server.maxConnections = options.connectionsMax;
  server.on('request', (request: IncomingMessage, reply: ServerResponse) => events.request(request, reply, false));
  server.on('checkContinue', (request: IncomingMessage, reply: ServerResponse) => events.request(request, reply, true));
  server.on('upgrade', events.upgrade);
  server.on('clientError', refuse);

  const http2 = new Http2Side(options, events);
  routeConnections(server, options, http2);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    server,
    closeIdle() {
      server.closeIdleConnections();
      http2.drain();
    },
    closeAll() {
      server.closeAllConnections();
      http2.close();
      // Also those that have not said yet what they speak.
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Takes over new connections from node:http and hands each to the protocol that it speaks. */
function routeConnections(server: Server, options: ListenerOptions, http2: Http2Side): void {
  const event = options.tls === undefined ? 'connection' : 'secureConnection';
  const accept = server.listeners(event) as ((socket: Socket) => void)[];
  server.removeAllListeners(event);
  const toHttp1 = (socket: Socket): void => {
    for (const listener of accept) listener.call(server, socket);
  };
  if (options.tls !== undefined) {
    const { tls } = options;
    server.on(event, (socket: TLSSocket) => (socket.alpnProtocol === 'h2' ? http2.accept(socket) : toHttp1(socket)));
    // A changed default certificate must be in place before node:tls takes the connection up.
    let fallback = unnamedCertificate(tls.certificateFor);
    const secure = server as Server & Partial<Pick<TlsServer, 'setSecureContext'>>;
    server.prependListener('connection', () => {
      const next = unnamedCertificate(tls.certificateFor);
      if (next === fallback || next === undefined) return;
      fallback = next;
      secure.setSecureContext?.({ cert: next.cert, key: next.key });
    });
    return;
  }
  server.on(event, (socket: Socket) => sniff(socket, options.headTimeoutMs, toHttp1, (found) => http2.accept(found)));
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Reads as many bytes as it takes to tell an HTTP/2 preface from an HTTP/1.1 request, and puts them back. */
function sniff(socket: Socket, timeoutMs: number, http1: (socket: Socket) => void, http2: (socket: Socket) => void): void {
  let read: Buffer = Buffer.alloc(0);
  const onError = (): void => void socket.destroy();
  const onTimeout = (): void => void socket.destroy();
  const onData = (chunk: Buffer): void => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
    const size = Math.min(read.length, preface.length);
    const same = read.subarray(0, size).equals(preface.subarray(0, size));
    if (same && size < preface.length) return;
    socket.removeListener('data', onData);
    socket.removeListener('error', onError);
    socket.removeListener('timeout', onTimeout);
    socket.setTimeout(0);
    // As if nobody had read yet: the next listener for data starts the flow again.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    socket.unshift(read);
    if (same) http2(socket);
    else http1(socket);
  };
  socket.on('error', onError);
  socket.on('timeout', onTimeout);
  socket.setTimeout(timeoutMs);
  socket.on('data', onData);
}

/** The HTTP/2 half, made when the first client speaks it. */
class Http2Side {
  readonly #options: ListenerOptions;
  readonly #events: ListenerEvents;
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;
  #draining = false;

  constructor(options: ListenerOptions, events: ListenerEvents) {
    this.#options = options;
    this.#events = events;
  }

  accept(socket: Socket): void {
    this.#server ??= this.#create();
    this.#server.emit('connection', socket);
  }

  /** Tells clients to open no more streams; sessions end with their last one. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #create(): Http2Server {
    const server = process.getBuiltinModule('node:http2').createServer({
      settings: { maxConcurrentStreams: 1_000, maxHeaderListSize: this.#options.headBytesMax, enablePush: false },
      maxSendHeaderBlockLength: this.#options.headBytesMax,
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.#sessions.delete(session));
      session.setTimeout(this.#options.keepAliveTimeoutMs, () => session.close());
      if (this.#draining) session.close();
    });
    server.on('stream', (stream, headers, flags, rawHeaders) => this.#events.stream(stream, headers, flags, rawHeaders));
    server.on('sessionError', () => undefined);
    return server;
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
