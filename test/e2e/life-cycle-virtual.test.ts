// The life of instances and requests in a whole host, on virtual time.
import { afterEach, describe, expect, test } from 'vitest';
import { pods } from '../../src/api/core/pod.ts';
import type { Policy } from '../../src/autoscaler/index.ts';
import { defineFunction } from '../../src/functions/index.ts';
import { createRegistry, createTracer, type FinishedSpan } from '../../src/telemetry/index.ts';
import { createTestHost, type TestHost, type TestHostOptions } from '../../src/testing/test-host.ts';
import { isReadyPod, podsOf, serviceOf } from './host-world.ts';

let host: TestHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

async function open(options: TestHostOptions, ...services: readonly object[]): Promise<TestHost> {
  const opened = (host = await createTestHost(options));
  for (const service of services) await opened.apply(service);
  for (const service of services) {
    const { name } = (service as { metadata: { name: string } }).metadata;
    await opened.run(opened.ready('services.serving.knative.dev', name));
  }
  return opened;
}

const told = (desired: () => number): Policy => ({
  name: 'told',
  metrics: () => [],
  initial: () => undefined,
  decide: () => ({ desired: desired(), excessBurstCapacity: 0, valid: true }),
});

test('an init hook that waits for the clock holds its instance back, not the world', async () => {
  const slow = defineFunction(() => 'ready', {
    init: ({ clock }) => new Promise<void>((resolve) => void clock.setTimer(30_000, resolve)),
  });
  const running = (host = await createTestHost({ images: { 'example.com/slow': slow } }));
  await running.apply(serviceOf('slow', { image: 'example.com/slow' }, {}, {}));
  await running.advance('29s');
  expect(podsOf(running, 'slow').filter(isReadyPod)).toEqual([]);
  await running.advance('2s');
  expect(podsOf(running, 'slow').filter(isReadyPod)).toHaveLength(1);
  expect(await (await running.run(running.fetch('slow', '/'))).text()).toBe('ready');
});

describe('waitUntil', () => {
  const window = { 'autoscaling.knative.dev/window': '6s' };
  /** Answers at once and works on for as long as the path says. */
  const working = defineFunction((context) => {
    context.waitUntil(context.sleep(`${context.path.slice(1)}s`));
    return 'accepted';
  });

  test('keeps its instance until the work is done', async () => {
    const running = await open(
      { images: { 'example.com/working': working } },
      serviceOf('working', { image: 'example.com/working' }, {}, window),
    );
    await running.until(() => podsOf(running, 'working').length === 0);
    expect(await (await running.run(running.fetch('working', '/120'))).text()).toBe('accepted');
    await running.advance('118s');
    expect(podsOf(running, 'working')).toHaveLength(1);
    await running.advance('60s');
    expect(podsOf(running, 'working')).toHaveLength(0);
  });

  test('counts no longer than a request of the revision may take', async () => {
    const running = await open(
      { images: { 'example.com/working': working } },
      serviceOf('working', { image: 'example.com/working' }, { timeoutSeconds: 20 }, window),
    );
    expect(await (await running.run(running.fetch('working', '/3600'))).text()).toBe('accepted');
    await running.advance('18s');
    expect(podsOf(running, 'working')).toHaveLength(1);
    await running.until(() => podsOf(running, 'working').length === 0, '90s');
  });
});

test('scale-down takes the newest idle instances and waits for nobody who works', async () => {
  let desired = 4;
  const running = await open(
    {
      policyFor: () => told(() => desired),
      images: {
        'example.com/who': defineFunction(async (context) => {
          if (context.path === '/work') await context.sleep('20s');
          return context.env['HOSTNAME'];
        }),
      },
    },
    serviceOf('who', { image: 'example.com/who' }, { containerConcurrency: 1 }),
  );
  await running.until(() => podsOf(running, 'who').filter(isReadyPod).length === 4);
  // With one request at a time per instance, two requests occupy two instances.
  const busy = Promise.all([running.fetch('who', '/work'), running.fetch('who', '/work')]);
  await running.settle();
  desired = 2;
  await running.until(() => podsOf(running, 'who').length === 2);
  const left = podsOf(running, 'who').map(({ metadata }) => metadata.name);
  const workers = await running.run(Promise.all((await running.run(busy)).map((answer) => answer.text())));
  expect(workers.sort()).toEqual(left.sort());
});

test('a busy instance that has to go finishes its request first', async () => {
  let desired = 1;
  const running = await open(
    {
      policyFor: () => told(() => desired),
      images: {
        'example.com/slow': defineFunction(async (context) => {
          await context.sleep('30s');
          return 'done';
        }),
      },
    },
    serviceOf('slow', { image: 'example.com/slow' }),
  );
  const answer = running.fetch('slow');
  await running.settle();
  desired = 0;
  const [pod] = podsOf(running, 'slow');
  await running.delete(pods, 'default', pod?.metadata.name ?? '');
  expect((await running.run(answer)).status).toBe(200);
});

test('the budget of a cold start trips, is answered and reported with the reason', async () => {
  const reports: string[] = [];
  let starts = 0;
  const init = (): void => {
    if (starts++ > 0) throw new Error('no database');
  };
  const running = await open(
    {
      coldStartTimeout: '5s',
      onColdStartTimeout: (revision, waitedMs, why) => reports.push(`${revision} ${waitedMs} ${why}`),
      images: { 'example.com/late': defineFunction({ handle: () => 'late', init }) },
    },
    serviceOf('late', { image: 'example.com/late' }, { timeoutSeconds: 20 }, { 'autoscaling.knative.dev/window': '6s' }),
  );
  await running.until(() => podsOf(running, 'late').length === 0);
  const answer = await running.run(running.fetch('late'));
  expect(answer.status).toBe(504);
  expect((await answer.text()).trim()).toBe('no instance of default/late-00001 became ready within 5000 ms');
  expect(reports).toEqual([
    'default/late-00001 5000 container user-container waits: CrashLoopBackOff: back-off 10s restarting failed container=user-container ' +
      `pod=${podsOf(running, 'late')[0]?.metadata.name ?? ''}_default (it ended with exit code 1)`,
  ]);
});

test('Cloud Run session affinity brings a client back to its instance', async () => {
  const running = await open(
    {
      policyFor: () => told(() => 3),
      images: { 'example.com/who': defineFunction((context) => context.env['HOSTNAME']) },
    },
    serviceOf('who', { image: 'example.com/who' }, {}, { 'run.googleapis.com/sessionAffinity': 'true' }),
  );
  await running.until(() => podsOf(running, 'who').filter(isReadyPod).length === 3);
  const first = await running.run(running.fetch('who'));
  const pod = await first.text();
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(cookie).not.toBe('');
  for (let i = 0; i < 20; i++) {
    const again = await running.run(running.fetch('who', '/', { headers: { cookie } }));
    expect(await again.text()).toBe(pod);
    expect(again.headers.get('set-cookie')).toBeNull();
  }
  const others = new Set<string>();
  for (let i = 0; i < 20; i++) others.add(await (await running.run(running.fetch('who'))).text());
  expect(others.size).toBeGreaterThan(1);
});

test('request logs follow config-observability', async () => {
  const lines: string[] = [];
  const running = await open(
    { onRequestLog: (line) => lines.push(line), images: { 'example.com/hello': defineFunction(() => 'hello') } },
    serviceOf('hello', { image: 'example.com/hello' }),
  );
  const config = (data: Readonly<Record<string, string>>): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-observability', namespace: 'knative-serving' },
    data,
  });
  await running.run(running.fetch('hello'));
  expect(lines).toEqual([]);
  const template =
    '{{.Request.Method}} {{.Request.URL}} {{.Response.Code}} {{.Response.Size}} {{.Revision.Service}}/{{.Revision.Name}} {{.TraceID}}';
  await running.apply(config({ 'logging.enable-request-log': 'true', 'logging.request-log-template': template }));
  const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  await running.run(running.fetch('hello', '/a?b=c', { headers }));
  expect(lines).toEqual(['GET /a?b=c 200 5 hello/hello-00001 0af7651916cd43dd8448eb211c80319c\n']);
  await running.apply(config({ 'logging.enable-request-log': 'true' }));
  await running.run(running.fetch('hello', '/json'));
  expect((JSON.parse(lines[1] ?? '') as { httpRequest: unknown }).httpRequest).toMatchObject({
    requestMethod: 'GET',
    requestUrl: '/json',
    status: 200,
  });
});

test("metrics carry upstream's names, and the parts of a start from zero", async () => {
  const meter = createRegistry();
  const running = await open(
    { meter, images: { 'example.com/hello': defineFunction(() => 'hello') } },
    serviceOf('hello', { image: 'example.com/hello' }, {}, { 'autoscaling.knative.dev/window': '6s' }),
  );
  await running.until(() => podsOf(running, 'hello').length === 0);
  for (let i = 0; i < 3; i++) await running.run(running.fetch('hello'));
  const revision = {
    'k8s.namespace.name': 'default',
    'kn.revision.name': 'hello-00001',
    'kn.service.name': 'hello',
    'kn.configuration.name': 'hello',
  };
  expect(meter.value('kn.serving.invocation.duration', { ...revision, 'http.response.status_code': 200 })).toBe(3);
  for (const phase of ['queue-wait', 'spawn', 'ready', 'first-byte'])
    expect([phase, meter.value('kn.serving.cold_start.duration', { ...revision, 'kn.cold_start.phase': phase })]).toEqual([
      phase,
      1,
    ]);
  expect(meter.prometheus()).toMatch(/^kn_revision_request_active\{.*kn_revision_name="hello-00001".*\} 0$/m);
});

test("the gateway's span stands between the caller's and the program", async () => {
  const spans: FinishedSpan[] = [];
  const running = await open(
    {
      tracer: createTracer({ export: (span) => spans.push(span) }),
      images: { 'example.com/hello': defineFunction((context) => context.trace?.traceparent) },
    },
    serviceOf('hello', { image: 'example.com/hello' }),
  );
  const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const answer = await running.run(running.fetch('hello', '/', { headers }));
  const seen = await answer.text();
  expect(spans).toHaveLength(1);
  expect(spans[0]).toMatchObject({ kind: 'server', parentSpanId: 'b7ad6b7169203331' });
  expect(seen).toBe(`00-0af7651916cd43dd8448eb211c80319c-${spans[0]?.context.spanId ?? ''}-01`);
});
