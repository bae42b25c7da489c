import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pods } from '../../src/api/core/pod.ts';
import { createVirtualClock } from '../../src/clock.ts';
import { createHost, type Host, type ListenAddress } from '../../src/host/index.ts';
import { createRegistry, createTracer, formatTraceparent, type FinishedSpan } from '../../src/telemetry/index.ts';
import { selfSigned } from '../serving/data-plane/certificate.ts';
import { workerPids } from '../serving/data-plane/workers-setup.ts';

/** Tells how many requests it ever had at once. */
const counting = `let running = 0, most = 0;
export const handle = async () => {
  most = Math.max(most, ++running);
  await new Promise((resolve) => setTimeout(resolve, 3));
  running--;
  return { most };
};
`;

/** Answers with the trace that the request belongs to. */
const tracing = `export const handle = (context) => ({ traceparent: context.headers.traceparent });
`;

const service = (
  name: string,
  image: string,
  containerConcurrency: number,
  annotations: Record<string, string> = {},
): object => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { template: { metadata: { annotations }, spec: { containerConcurrency, containers: [{ image }] } } },
});

/** One request over a connection of its own, so that the system spreads them over the workers. */
const ask = (port: number, name: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent: false, headers: { host: `${name}.default.localhost`, ...headers } };
    httpGet(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });

describe('a host whose data plane runs in two processes', () => {
  const registry = createRegistry();
  const lines: string[] = [];
  const spans: FinishedSpan[] = [];
  const certificates = [selfSigned('shop.example.com'), selfSigned('shop.example.com')];
  let current = certificates[0];
  let folder: string;
  let host: Host;
  let address: ListenAddress;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'knative-embed-workers-'));
    await writeFile(join(folder, 'counting.mjs'), counting);
    await writeFile(join(folder, 'tracing.mjs'), tracing);
    host = await createHost({
      workers: 2,
      baseDir: folder,
      dataDir: join(folder, 'data'),
      images: {
        'example.com/counting': './counting.mjs',
        'example.com/tracing': './tracing.mjs',
        'example.com/inside': { function: './counting.mjs', isolation: 'in-process' },
      },
      meter: registry,
      tracer: createTracer({ sampler: 'always', export: (span) => spans.push(span) }),
      onRequestLog: (line) => lines.push(line),
    });
    const certificateFor = (name: string) => (name === 'shop.example.com' ? current : undefined);
    address = await host.listen({ port: 0, tls: { port: 0, certificateFor } });
  }, 30_000);

  afterAll(async () => {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  });

  const apply = async (...args: Parameters<typeof service>): Promise<void> => {
    await host.apply(service(...args));
    await host.ready('services.serving.knative.dev', args[0]);
  };

  test('the hard limit holds over both, for requests from outside and from the host itself', async () => {
    await apply('limited', 'example.com/counting', 1, { 'autoscaling.knative.dev/max-scale': '1' });
    const outside = Array.from({ length: 60 }, () => ask(address.port, 'limited'));
    const inside = Array.from({ length: 40 }, async () => {
      const response = await host.fetch('limited');
      return { status: response.status, body: await response.text() };
    });
    const answers = await Promise.all([...outside, ...inside]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['{"most":1}']));
    expect(await workerPids()).toHaveLength(2);
  });

  test('a request that finds no instance starts one, whichever process it came to', async () => {
    await host.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config-autoscaler', namespace: 'knative-serving' },
      data: { 'allow-zero-initial-scale': 'true' },
    });
    await apply('zero', 'example.com/counting', 0, { 'autoscaling.knative.dev/initial-scale': '0' });
    expect(host.list(pods, { labels: { 'serving.knative.dev/service': 'zero' } })).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(address.port, 'zero')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('functions inside the host answer through every process, and what no route has goes to the host', async () => {
    await apply('inside', 'example.com/inside', 0);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(address.port, 'inside')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const unknown = await ask(address.port, 'unknown', { 'k-worker-revision': 'default/inside-00001' });
    expect(unknown.status).toBe(404);
    expect(unknown.body).toContain('no service has the host');
    // A client cannot choose the revision of a request that is passed on.
    const forged = await ask(address.port, 'inside', { 'k-worker-revision': 'default/limited-00001' });
    expect(forged).toMatchObject({ status: 200 });
  });

  test('measurements and request logs of all processes arrive in the host', async () => {
    await host.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config-observability', namespace: 'knative-serving' },
      data: { 'logging.enable-request-log': 'true', 'logging.request-log-template': '{{.Revision.Name}} {{.Response.Code}}' },
    });
    await apply('measured', 'example.com/counting', 0);
    await Promise.all([...Array.from({ length: 12 }, () => ask(address.port, 'measured')), host.fetch('measured')]);
    await expect.poll(() => lines.filter((line) => line.startsWith('measured-00001 200'))).toHaveLength(13);
    const count = /kn_serving_invocation_duration_seconds_count\{[^}]*measured-00001[^}]*\} (\d+)/;
    await expect.poll(() => count.exec(registry.prometheus())?.[1], { timeout: 5_000 }).toBe('13');
  });

  test('every request is one span, wherever it came in, and the instance works below it', async () => {
    await apply('traced', 'example.com/tracing', 1, { 'autoscaling.knative.dev/max-scale': '1' });
    const outside = await Promise.all(Array.from({ length: 12 }, () => ask(address.port, 'traced')));
    const inside = await (await host.fetch('traced')).text();
    const seen = [...outside.map(({ body }) => body), inside].map(
      (body) => (JSON.parse(body) as { traceparent: string }).traceparent,
    );
    const own = (): FinishedSpan[] => spans.filter(({ name }) => name === 'GET default/traced-00001');
    await expect.poll(() => own().length).toBe(13);
    expect(
      own()
        .map(({ context }) => formatTraceparent(context))
        .sort(),
    ).toEqual(seen.sort());
  });

  test('certificates are asked of the host at each handshake', async () => {
    const peer = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(
          { host: '127.0.0.1', port: address.tls?.port ?? 0, servername: 'shop.example.com', rejectUnauthorized: false },
          () => {
            resolve(socket.getPeerCertificate().fingerprint256);
            socket.destroy();
          },
        );
        socket.on('error', reject);
      });
    const first = await Promise.all([peer(), peer(), peer(), peer()]);
    expect(new Set(first).size).toBe(1);
    current = certificates[1];
    const second = new Set(await Promise.all([peer(), peer(), peer(), peer()]));
    expect(second.size).toBe(1);
    expect(second).not.toEqual(new Set(first));
  });

  test('instances that go are drained in every process, and a killed process is replaced', async () => {
    const min = (count: number): Record<string, string> => ({ 'autoscaling.knative.dev/min-scale': String(count) });
    await apply('shrinking', 'example.com/counting', 1, min(3));
    const statuses: number[] = [];
    let stop = false;
    const client = async (): Promise<void> => {
      while (!stop) statuses.push((await ask(address.port, 'shrinking')).status);
    };
    const clients = Promise.all(Array.from({ length: 4 }, client));
    await expect.poll(() => statuses.length).toBeGreaterThan(20);
    for (const pod of host.list(pods, { labels: { 'serving.knative.dev/service': 'shrinking' } }).slice(0, 2))
      await host.delete(pods, 'default', pod.metadata.name);
    const at = statuses.length;
    await expect.poll(() => statuses.length).toBeGreaterThan(at + 50);
    stop = true;
    await clients;
    expect(new Set(statuses)).toEqual(new Set([200]));

    const [victim = 0, other] = await workerPids();
    process.kill(victim, 'SIGKILL');
    await expect
      .poll(async () => (await workerPids()).filter((pid) => pid !== victim && pid !== other), { timeout: 10_000 })
      .toHaveLength(1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(address.port, 'shrinking')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }, 30_000);
});

test('what workers cannot do together is refused', async () => {
  const refused = { code: 'HOST_OPTION_INVALID', path: 'workers' };
  await expect(createHost({ workers: 0 })).rejects.toMatchObject(refused);
  await expect(createHost({ workers: 1.5 })).rejects.toMatchObject(refused);
  await expect(createHost({ workers: 2, clock: createVirtualClock() })).rejects.toMatchObject(refused);
  await expect(createHost({ workers: 2, transport: 'memory' })).rejects.toMatchObject(refused);
  const { start } = createTracer({ export: () => undefined });
  await expect(createHost({ workers: 2, tracer: { start } })).rejects.toMatchObject(refused);
});
