// Manifests that others have written, applied unchanged. They lie beside the project in ../shared and are skipped where they are absent.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pods } from '../../src/api/core/pod.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { podsOf } from './scenarios.ts';

const shared = fileURLToPath(new URL('../../../shared/manifests/', import.meta.url));
const manifests = existsSync(shared);
const reason = 'the manifests of ../shared are not here';
const python = spawnSync('python3', ['--version']).status === 0;
const read = (path: string): string => readFileSync(join(shared, path), 'utf8');

/** Takes 200 ms a request, many at a time, and says which instance answered; plain Python without packages. */
const autoscaleProgram = `
import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        time.sleep(0.2)
        body = ('slept by %d' % os.getpid()).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

Server(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

/** The documented behaviour of the sample: it answers a hello event with an event of its own. */
const helloProgram = `
export function handle(context, event) {
  if (event === undefined) return 'ready';
  globalThis.seen = (globalThis.seen ?? 0) + 1;
  return context.cloudEventResponse({ msg: 'Hi from helloworld-go app!' }).type('dev.knative.samples.hifromknative').source('knative/eventing/samples/hello-world').response();
}
`;
const displayProgram = `
const events = [];
export function handle(context, event) {
  if (event === undefined) return events;
  events.push({ type: event.type, source: event.source, data: event.data });
}
`;
const catalogProgram = `export const handle = (context) => ({ level: context.env.LOG_LEVEL, revision: context.env.K_REVISION });`;

describe('manifests of others', () => {
  let host: Host;
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'knative-embed-manifests-'));
    await writeFile(join(dir, 'autoscale.py'), autoscaleProgram);
    await writeFile(join(dir, 'hello.mjs'), helloProgram);
    await writeFile(join(dir, 'display.mjs'), displayProgram);
    await writeFile(join(dir, 'catalog.mjs'), catalogProgram);
    host = await createHost({
      baseDir: dir,
      dataDir: join(dir, 'data'),
      images: {
        'ghcr.io/knative/autoscale-go': { command: ['python3', join(dir, 'autoscale.py')] },
        'docker.io/{username}/helloworld-go': './hello.mjs',
        'europe-west4-docker.pkg.dev/example-project/apps/catalog': './catalog.mjs',
        'example.com/display': './display.mjs',
      },
    });
  });
  afterEach(async () => {
    await host.close();
    await rm(dir, { recursive: true, force: true });
  });

  test('serving-autoscale-go: a python program runs as its image and scales under load', { timeout: 90_000 }, async (context) => {
    if (!manifests) context.skip(reason);
    if (!python) context.skip('python3 is not here');
    await host.apply(read('knative-docs/serving-autoscale-go.yaml'));
    await host.ready('services.serving.knative.dev', 'autoscale-go');
    // 40 requests at a time, target 10 x 70 %: six instances are asked for.
    let stop = false;
    const statuses = new Map<number, number>();
    const instances = new Set<string>();
    const load = Array.from({ length: 40 }, async () => {
      while (!stop) {
        const answer = await host.fetch('autoscale-go');
        instances.add(await answer.text());
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }
    });
    await host.waitFor(
      'several instances are ready',
      () => podsOf(host, 'autoscale-go').filter((pod) => ready(pod)).length >= 3,
      {
        timeoutMs: 60_000,
      },
    );
    for (const deadline = AbortSignal.timeout(30_000); instances.size < 2;) {
      deadline.throwIfAborted();
      await (await host.fetch('autoscale-go')).text();
    }
    stop = true;
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual([200]);
    expect(instances.size).toBeGreaterThan(1);
  });

  test('eventing-helloworld: a posted event arrives and its reply comes back', { timeout: 60_000 }, async (context) => {
    if (!manifests) context.skip(reason);
    await host.apply(read('knative-docs/eventing-helloworld.yaml'));
    await host.apply(displayManifest);
    await host.ready('brokers.eventing.knative.dev', 'default', { namespace: 'knative-samples' });
    await host.ready('triggers.eventing.knative.dev', 'helloworld-go', { namespace: 'knative-samples' });
    await host.ready('triggers.eventing.knative.dev', 'display', { namespace: 'knative-samples' });
    await host.waitFor('the program is up', () =>
      host.list(pods, { namespace: 'knative-samples', labels: { app: 'helloworld-go' } }).some(ready),
    );
    const accepted = await host.client.request({
      method: 'POST',
      url: 'http://broker-ingress.knative-eventing.svc.cluster.local/knative-samples/default',
      rawHeaders: [
        ['ce-specversion', '1.0'],
        ['ce-id', '536808d3-88be-4077-9d7a-a3f162705f79'],
        ['ce-type', 'dev.knative.samples.helloworld'],
        ['ce-source', 'dev.knative.samples/helloworldsource'],
        ['content-type', 'application/json'],
      ].flat(),
      body: '{"msg":"Hello World from the curl pod."}',
    });
    expect(accepted.status).toBe(202);
    let events: unknown[] = [];
    for (const deadline = AbortSignal.timeout(30_000); events.length === 0;) {
      deadline.throwIfAborted();
      events = (await (await host.fetch('display', '/', { namespace: 'knative-samples' })).json()) as unknown[];
    }
    expect(events).toEqual([
      {
        type: 'dev.knative.samples.hifromknative',
        source: 'knative/eventing/samples/hello-world',
        data: { msg: 'Hi from helloworld-go app!' },
      },
    ]);
  });

  test('cloud-run/01-exported-basic: an exported service applies and answers', { timeout: 30_000 }, async (context) => {
    if (!manifests) context.skip(reason);
    const { documents } = await host.apply(read('cloud-run/01-exported-basic.yaml'));
    expect(documents[0]?.dialect).toBe('cloud-run');
    await host.ready('services.serving.knative.dev', 'catalog', { namespace: '402133905512' });
    const answer = await host.fetch('catalog', '/', { namespace: '402133905512' });
    expect([answer.status, await answer.json()]).toEqual([200, { level: 'info', revision: 'catalog-00001' }]);
  });

  test('an image without a program says how to map it', async () => {
    await host.apply({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'unmapped' },
      spec: { template: { spec: { containers: [{ image: 'example.com/nobody/knows' }] } } },
    });
    await expect(host.ready('services.serving.knative.dev', 'unmapped', { timeoutMs: 1_000 })).rejects.toThrow(
      /no program for image "example.com\/nobody\/knows": map it in the host's images/,
    );
  });
});

function ready(pod: { status?: { conditions?: readonly { type: string; status: string }[] } }): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

const displayManifest = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: display
  namespace: knative-samples
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: "1"
        autoscaling.knative.dev/max-scale: "1"
    spec:
      containers:
        - image: example.com/display
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: display
  namespace: knative-samples
spec:
  broker: default
  filter:
    attributes:
      type: dev.knative.samples.hifromknative
  subscriber:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: display
`;
