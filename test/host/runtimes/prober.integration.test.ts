import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { networkProbe, type ProbeOutcome } from '../../../src/host/runtimes/prober.ts';
import type { ProbeSpec } from '../../../src/host/runtimes/runtime.ts';
import { createSocketProber } from '../../../src/host/runtimes/socket-prober.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function probe(
  address: string,
  spec: ProbeSpec,
  timeoutMs = 1_000,
  portName = '',
  asker: 'kubelet' | 'queue-proxy' = 'kubelet',
): Promise<ProbeOutcome> {
  const request = networkProbe(spec, asker, {
    target: { address, accepting: false },
    ports: [{ name: portName, containerPort: 8080 }],
  });
  if (request === undefined) throw new Error('not a network probe');
  return createSocketProber().probe(request, AbortSignal.timeout(timeoutMs));
}

test.each([
  [200, true],
  [204, true],
  [302, true],
  [404, false],
  [503, false],
])('HTTP status %i', async (status, ok) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.host} ${request.headers['user-agent']} ${String(request.headers['x-a'])}`);
    response.writeHead(status).end();
  });
  const address = await listen(server);
  const spec = {
    httpGet: {
      path: 'health',
      port: 8080,
      httpHeaders: [
        { name: 'Host', value: 'me' },
        { name: 'X-A', value: 'b' },
      ],
    },
  };
  expect((await probe(address, spec)).ok).toBe(ok);
  expect(seen).toEqual(['/health me kube-probe/1.34 b']);
});

test('redirects to the same host are followed, at most ten; one elsewhere is a success', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const location = request.url === '/away' ? 'http://elsewhere.test/' : '/loop';
    response.writeHead(302, { location }).end();
  });
  const address = await listen(server);
  expect((await probe(address, { httpGet: { path: '/loop' } })).ok).toBe(false);
  expect(requests).toBe(10);
  expect((await probe(address, { httpGet: { path: '/away' } })).ok).toBe(true);
});

test('a closed port is refused, a silent server runs into the time limit', async () => {
  const silent = await listen(createServer(() => undefined));
  expect(await probe(silent, { httpGet: {} }, 50)).toMatchObject({ ok: false });
  expect(await probe(silent, { tcpSocket: {} })).toEqual({ ok: true });
  expect(await probe('127.0.0.1:1', { tcpSocket: {} })).toMatchObject({ ok: false, refused: true });
  expect(await probe('127.0.0.1:1', { httpGet: {} })).toMatchObject({ ok: false, refused: true });
  expect(await probe('127.0.0.1:1', { grpc: {} })).toMatchObject({ ok: false, refused: true });
});

test('a port named h2c is probed by HTTP/2', async () => {
  const server = createHttp2Server((_request, response) => response.writeHead(200).end());
  expect(await probe(await listen(server), { httpGet: { path: '/' } }, 1_000, 'h2c')).toEqual({ ok: true });
});

test.each([
  ['SERVING', [8, 1], '0', true],
  ['NOT_SERVING', [8, 2], '0', false],
  ['UNKNOWN', [], '0', false],
  ['UNIMPLEMENTED', undefined, '12', false],
] as const)('gRPC health: %s', async (_name, message, status, ok) => {
  const bodies: Buffer[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    expect(headers[':path']).toBe('/grpc.health.v1.Health/Check');
    stream.on('data', (chunk: Buffer) => bodies.push(chunk));
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      stream.end(message === undefined ? undefined : Buffer.from([0, 0, 0, 0, message.length, ...message]));
    });
  });
  expect((await probe(await listen(server), { grpc: { service: 'shop' } })).ok).toBe(ok);
  expect([...Buffer.concat(bodies)]).toEqual([0, 0, 0, 0, 6, 10, 4, ...Buffer.from('shop')]);
});
