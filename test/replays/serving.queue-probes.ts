import { createServer as createHttp2Server, type IncomingHttpHeaders } from 'node:http2';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { realClock, sleep } from '../../src/clock.ts';
import { runProbe } from '../../src/host/runtimes/probe-runner.ts';
import { networkProbe } from '../../src/host/runtimes/prober.ts';
import type { ProbeSpec } from '../../src/host/runtimes/runtime.ts';
import { createSocketProber } from '../../src/host/runtimes/socket-prober.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

// The family `run` of queue-probes.json: probes against live servers, over sockets.

interface ServerSpec {
  kind: 'none' | 'http' | 'h2c' | 'tcp' | 'grpc';
  statuses?: number[];
  openAfterMs?: number;
  delayMs?: number;
  serving?: string;
  services?: Record<string, string>;
}

interface RunCase {
  id: string;
  family: string;
  input: { probes: ProbeSpec[]; servers: ServerSpec[]; autoDetectHTTP2?: boolean };
  expect: { ready: boolean; elapsedMsApprox: number; servers: object[] };
}

interface LiveServer {
  readonly address: string;
  readonly seen: string[];
  close(): void;
}

const elapsedToleranceMs = 150;
const aggressiveLimitMs = 5_000;

export const files: Record<string, (cases: unknown[]) => Iterable<ReplayCase>> = {
  *'queue-probes.json'(cases) {
    for (const item of cases as RunCase[]) {
      if (item.family !== 'run') continue;
      yield {
        file: 'queue-probes.json',
        id: item.id,
        expected: item.expect,
        check: (expected: RunCase['expect']) => runCase(item, expected),
      };
    }
  },
};

async function runCase(item: RunCase, expected: RunCase['expect']): Promise<string[]> {
  const servers = await Promise.all(item.input.servers.map(openServer));
  // The package's timers keep no process alive, and a closed port leaves nothing else to wait for.
  const keepAlive = setInterval(() => undefined, 1_000);
  const beganMs = performance.now();
  try {
    const verdicts = await Promise.all(
      item.input.probes.map((probe, index) =>
        ask({ ...probe, detectHttp2: item.input.autoDetectHTTP2 === true }, servers[index]?.address ?? ''),
      ),
    );
    const elapsedMs = performance.now() - beganMs;
    const isInTime = Math.abs(elapsedMs - expected.elapsedMsApprox) <= elapsedToleranceMs;
    return differencesOf(expected, {
      ready: verdicts.every(Boolean),
      elapsedMsApprox: isInTime ? expected.elapsedMsApprox : elapsedMs,
      servers: item.input.servers.map((spec, index) => observed(spec, item.input.probes[index], servers[index])),
    });
  } finally {
    clearInterval(keepAlive);
    for (const server of servers) server.close();
  }
}

/** One question as upstream's queue-proxy asks it: once with a period, again and again until it succeeds without one. */
function ask(spec: ProbeSpec, address: string): Promise<boolean> {
  // Ports in the file are placeholders: probe n goes to server n.
  const own: ProbeSpec = spec.grpc === undefined ? spec : { ...spec, grpc: { ...spec.grpc, port: 0 } };
  const request = networkProbe(own, 'queue-proxy', { target: { address, accepting: false }, ports: [] });
  if (request === undefined) return Promise.resolve(false);
  const prober = createSocketProber();
  const isAggressive = (spec.periodSeconds ?? 0) === 0;
  return new Promise((resolve) => {
    const limit = realClock.setTimer(aggressiveLimitMs, () => done(false));
    const done = (ok: boolean): void => {
      probe[Symbol.dispose]();
      limit[Symbol.dispose]();
      resolve(ok);
    };
    const probe = runProbe({
      spec: { ...own, failureThreshold: 1 },
      kind: 'readiness',
      clock: realClock,
      startedMs: realClock.monotonic(),
      attempt: (signal) => prober.probe(request, signal),
      onVerdict: (ok) => {
        if (ok || !isAggressive) done(ok);
      },
    });
  });
}

function observed(spec: ServerSpec, probe: ProbeSpec | undefined, server: LiveServer | undefined): object {
  const seen = server?.seen ?? [];
  const first = seen.length === 0 ? {} : { first: seen.slice(0, 3) };
  if (spec.kind === 'http') return { connectionsOrRequests: seen.length, ...first };
  return spec.kind === 'h2c' && probe?.httpGet !== undefined ? first : {};
}

async function openServer(spec: ServerSpec): Promise<LiveServer> {
  const seen: string[] = [];
  const server = makeServer(spec, seen);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (spec.kind === 'none' || spec.openAfterMs !== undefined) {
    server.close();
    await once(server, 'close');
  }
  let closed = false;
  if (spec.openAfterMs !== undefined) {
    void sleep(realClock, spec.openAfterMs).then(() => {
      if (!closed) server.listen(port, '127.0.0.1');
    });
  }
  return {
    address: `127.0.0.1:${port}`,
    seen,
    close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
      if (server.listening) server.close();
    },
  };
}

function makeServer(spec: ServerSpec, seen: string[]): Server {
  switch (spec.kind) {
    case 'http':
      return withPreface(
        createHttpServer((request, response) => void answer(spec, seen, request, response)),
        seen,
      );
    case 'h2c':
      return createBothServer(spec, seen);
    case 'grpc':
      return createHealthServer(spec);
    default:
      return createTcpServer((socket) => socket.end());
  }
}

/** The recorder's server took the beginning of an HTTP/2 connection for a request, as Go's does; Node's says that it is none. */
function withPreface(server: HttpServer, seen: string[]): HttpServer {
  return server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    if (error.rawPacket?.toString('latin1').startsWith('PRI * HTTP/2.0') === true) seen.push('PRI * HTTP/2.0 Host=');
    socket.destroy();
  });
}

async function answer(spec: ServerSpec, seen: string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const statuses = spec.statuses ?? [200];
  const status = statuses[Math.min(seen.length, statuses.length - 1)] ?? 200;
  seen.push(
    describe(`${request.method} ${request.url} HTTP/${request.httpVersion}`, request.headers.host ?? '', request.headers),
  );
  if (spec.delayMs !== undefined) await sleep(realClock, spec.delayMs);
  if (status >= 300 && status < 400) response.setHeader('location', '/elsewhere');
  response.writeHead(status).end();
}

/** HTTP/1.1 and HTTP/2 on one port, told apart by the first bytes. */
function createBothServer(spec: ServerSpec, seen: string[]): Server {
  const http1 = createHttpServer((request, response) => void answer(spec, seen, request, response));
  const http2 = createHttp2Server();
  http2.on('stream', (stream, headers) => {
    seen.push(describe(`${headers[':method']} ${headers[':path']} HTTP/2.0`, headers[':authority'] ?? '', headers));
    stream.respond({ ':status': 200 });
    stream.end();
  });
  return createTcpServer((socket) => {
    socket.once('readable', () => {
      const chunk: unknown = socket.read();
      if (!Buffer.isBuffer(chunk)) return;
      socket.unshift(chunk);
      (chunk.toString('latin1', 0, 3) === 'PRI' ? http2 : http1).emit('connection', socket);
    });
  });
}

const healthStatuses: Record<string, number> = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2 };

function createHealthServer(spec: ServerSpec): Server {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const body = Buffer.concat(chunks);
      const service = body.subarray(7).toString();
      const name = service === '' ? spec.serving : spec.services?.[service];
      const status = spec.serving === 'UNIMPLEMENTED' ? '12' : name === undefined ? '5' : '0';
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      stream.end(status === '0' ? Buffer.from([0, 0, 0, 0, 2, 8, healthStatuses[name ?? ''] ?? 0]) : undefined);
    });
  });
  return server as unknown as Server;
}

/** A request in the file's form: line, host and the remaining headers by name. */
function describe(line: string, host: string, headers: IncomingHttpHeaders): string {
  const port = /:(\d+)$/.exec(host)?.[1] ?? '';
  const shown = Object.entries(headers)
    .filter(([name]) => name !== 'host' && !name.startsWith(':'))
    .map(([name, value]) => `${canonicalName(name)}: ${canonicalValue(name, String(value), port)}`)
    .sort();
  return [`${line} Host=${host.replace(/:\d+$/, ':{port}')}`, ...shown].join(' | ');
}

function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function canonicalValue(name: string, value: string, port: string): string {
  // The recording was made with a build that knows no Kubernetes version.
  if (name === 'user-agent') return value.replace(/^kube-probe\/.*/, 'kube-probe//');
  return value.replace(`127.0.0.1:${port}`, '{addr}');
}
