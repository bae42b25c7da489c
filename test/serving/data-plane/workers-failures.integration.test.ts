import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createVirtualClock } from '../../../src/clock.ts';
import { createHttpServer } from '../../../src/http/index.ts';
import { createLogger } from '../../../src/logger.ts';
import { createDataPlaneWorkers, type DataPlaneWorkersOptions } from '../../../src/serving/data-plane/index.ts';
import { createRegistry } from '../../../src/telemetry/index.ts';
import { selfSigned } from './certificate.ts';
import { openBackend } from './setup.ts';
import { ask, ingress, openCountingBackend, workerPids } from './workers-setup.ts';

const key = 'default/hello-00001';

async function openPool(options: Partial<DataPlaneWorkersOptions> = {}) {
  const pool = createDataPlaneWorkers({ workers: 2, ...options });
  onTestFinished(() => pool.close(0));
  await pool.start();
  pool.setIngress(ingress('hello-00001'));
  return pool;
}

/** A POST, which nothing sends again, on a connection of its own: its status, or the code of the error. */
const post = (port: number): Promise<string> =>
  new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, agent: false, method: 'POST' }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.statusCode)));
      response.on('error', () => resolve('cut'));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    sent.end('x');
  });

/** A worker of which only one can start. */
const onlyOne = `import { mkdirSync } from 'node:fs';
try {
  mkdirSync(new URL('taken', import.meta.url));
} catch {
  process.exit(3);
}
process.on('message', ({ type, id }) => (type === 'close' ? process.exit(0) : process.send({ type: 'done', id, internalPort: 1 })));
`;

/** Sockets that listen on the port. */
async function listeners(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter(([, address, , state]) => state === '0A' && address?.endsWith(local) === true).length;
}

test('a worker that is killed takes nothing along but the requests in it, whoever has the instance', async () => {
  const pool = await openPool();
  const { port } = await pool.listen();
  const backend = await openCountingBackend('pod-1', 1);
  // Room for one request: one worker has it, the other one passes its requests on.
  await pool.setInstances(key, [backend.instance], { containerConcurrency: 1 });
  const outcomes: string[] = [];
  let stop = false;
  const clients = Array.from({ length: 4 }, async () => {
    while (!stop) outcomes.push(await post(port));
  });
  for (const victim of await workerPids()) {
    const answered = (): number => outcomes.filter((outcome) => outcome === '200').length;
    const before = answered();
    await expect.poll(answered).toBeGreaterThan(before + 20);
    process.kill(victim, 'SIGKILL');
    // Its place is taken once the next one listens.
    await expect.poll(async () => (await workerPids()).filter((pid) => pid !== victim)).toHaveLength(2);
    await expect.poll(() => listeners(port), { timeout: 5_000 }).toBe(2);
    const at = answered();
    await expect.poll(answered).toBeGreaterThan(at + 20);
  }
  stop = true;
  await Promise.all(clients);
  const failed = outcomes.filter((outcome) => outcome !== '200');
  // At most what each client had under way as two processes died, and one more each that met a socket of the dying one.
  expect(failed.length).toBeLessThanOrEqual(4 * clients.length);
  expect(failed.filter((outcome) => outcome !== '502' && outcome !== 'ECONNRESET' && outcome !== 'cut')).toEqual([]);
});

test('ports are opened in all workers or in none, and never taken from somebody who shares them', async () => {
  const first = await openPool();
  const second = await openPool();
  const { port } = await first.listen();
  await expect(second.listen({ port })).rejects.toMatchObject({ code: 'HTTP_ADDRESS_IN_USE' });
  const other = createHttpServer({ handler: () => undefined });
  onTestFinished(() => other.close(0));
  const taken = await other.listen();
  await first.unlisten();
  const certificate = selfSigned('shop.example.com');
  const tls = { unnamed: certificate, port: taken.port };
  await expect(second.listen({ port, tls })).rejects.toMatchObject({ code: 'HTTP_ADDRESS_IN_USE' });
  await expect(ask(`http://127.0.0.1:${port}`)).rejects.toThrow();

  const { url, tlsPort } = await second.listen({ port, tls: { unnamed: certificate } });
  const redirected = ingress('hello-00001');
  second.setIngress({ ...redirected, spec: { ...redirected.spec, httpOption: 'Redirected' } });
  const location = async (): Promise<string | null> => (await fetch(url, { redirect: 'manual' })).headers.get('location');
  await expect.poll(location).toBe(`https://127.0.0.1:${tlsPort}/`);
});

test('a worker that hangs does not keep the reports of the others', async () => {
  const clock = createVirtualClock();
  const pool = await openPool({ clock });
  const { url } = await pool.listen();
  const backend = await openCountingBackend('pod-1', 0);
  await pool.setInstances(key, [backend.instance]);
  await Promise.all(Array.from({ length: 24 }, () => ask(url)));
  const [hanging = 0] = await workerPids();
  process.kill(hanging, 'SIGSTOP');
  onTestFinished(() => void process.kill(hanging, 'SIGCONT'));
  const early = pool.reports();
  // The other one's answer needs real time, which the virtual clock does not pass meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 100));
  clock.advanceSync(1_000);
  const some = (await early).get(key)?.requestCount ?? 0;
  expect(some).toBeLessThan(24);
  process.kill(hanging, 'SIGCONT');
  let rest = 0;
  await expect.poll(async () => (rest += (await pool.reports()).get(key)?.requestCount ?? 0)).toBe(24 - some);
});

test('what was measured up to the end arrives when the data plane closes', async () => {
  const meter = createRegistry();
  const pool = await openPool({ meter });
  const { url } = await pool.listen();
  const backend = await openCountingBackend('pod-1', 0);
  await pool.setInstances(key, [backend.instance]);
  await Promise.all(Array.from({ length: 8 }, () => ask(url)));
  await pool.close();
  expect(meter.prometheus()).toMatch(/kn_serving_invocation_duration_seconds_count\{[^}]*hello-00001[^}]*\} 8\n/);
});

test('streams in both directions, trailers and WebSockets pass from worker to worker', async () => {
  const pool = await openPool();
  const { port, url } = await pool.listen();
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await pool.setInstances(key, [{ id: 'grpc', target: { address, protocol: 'h2c' } }], { containerConcurrency: 1 });

  const converse = async (): Promise<string> => {
    const client = connect(url);
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    stream.setEncoding('utf8');
    let trailers: unknown;
    stream.on('trailers', (received: Record<string, string>) => (trailers = received['grpc-status']));
    // Each message is sent only after the answer to the one before.
    for (const message of ['one', 'two']) {
      stream.write(message);
      expect(await once(stream, 'data')).toEqual([message]);
    }
    stream.end();
    stream.resume();
    await once(stream, 'close');
    client.close();
    return String(trailers);
  };
  for (let i = 0; i < 8; i++) expect(await converse()).toBe('0');

  const echo = new WebSocketServer({ noServer: true });
  echo.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(String(data))));
  const socketAddress = await openBackend(
    (_, response) => response.end(),
    (backend) =>
      backend.on('upgrade', (incoming, socket, head) =>
        echo.handleUpgrade(incoming, socket, head, (client) => echo.emit('connection', client, incoming)),
      ),
  );
  await pool.setInstances(key, [{ id: 'socket', target: { address: socketAddress } }], { containerConcurrency: 1 });
  for (let i = 0; i < 8; i++) {
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(client, 'open');
    client.send(`message ${i}`);
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(String(data)).toBe(`message ${i}`);
    client.close();
    await once(client, 'close');
  }
  const report = (await pool.reports()).get(key);
  // Some came to the worker without a share.
  expect(report?.proxiedRequestCount).toBeGreaterThan(0);
  expect((report?.requestCount ?? 0) - (report?.proxiedRequestCount ?? 0)).toBe(16);
});

test('the budget for a first instance runs out in a worker too', async () => {
  const timeouts: [string, number][] = [];
  const warnings: string[] = [];
  const pool = await openPool({
    onColdStartTimeout: (revision, waitedMs) => timeouts.push([revision, waitedMs]),
    logger: createLogger((level, { revision }, message) => warnings.push(`${level} ${String(revision)} ${message}`)),
  });
  const { url } = await pool.listen();
  await pool.setInstances(key, [], { coldStartTimeoutMs: 40 });
  expect(await ask(url)).toBe(504);
  await expect.poll(() => timeouts).toEqual([[key, expect.any(Number)]]);
  expect(warnings).toEqual([`warn ${key} no instance became ready within the cold-start budget`]);
});

test('an owner that fails at an event goes on; a worker that cannot start is told and leaves nothing behind', async () => {
  const certificate = selfSigned('shop.example.com');
  const pool = await openPool({
    onRequestLog: () => {
      throw new Error('the disk is full');
    },
    certificateFor(name) {
      if (name === 'broken.example.com') throw new Error('the store is locked');
      return certificate;
    },
  });
  pool.setObservability({ 'logging.enable-request-log': 'true', 'logging.request-log-template': '{{.Response.Code}}' });
  const { url, tlsPort } = await pool.listen({ tls: {} });
  const handshake = async (servername: string): Promise<boolean> => {
    const socket = connectTls({ host: '127.0.0.1', port: tlsPort, servername, rejectUnauthorized: false });
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return outcome;
  };
  expect(await handshake('broken.example.com')).toBe(false);
  expect(await handshake('shop.example.com')).toBe(true);
  await pool.setInstances(key, [(await openCountingBackend('pod-1', 0)).instance]);
  expect(await ask(url)).toBe(200);
  expect(await ask(url)).toBe(200);

  const before = await workerPids();
  const folder = await mkdtemp(join(tmpdir(), 'knative-embed-workers-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'data-plane-worker.mjs'), onlyOne);
  const broken = createDataPlaneWorkers({ workers: 2, entry: pathToFileURL(join(folder, 'data-plane-worker.mjs')) });
  await expect(broken.start()).rejects.toMatchObject({ code: 'SERVING_WORKER_FAILED' });
  expect(await workerPids()).toEqual(before);
});
