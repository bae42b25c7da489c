// The quickstart over real sockets with worker threads. Time is real, but nothing sleeps: every wait is for a change of the store.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createHost, type Host } from '../../src/host/index.ts';
import {
  backToZero,
  eventAndReply,
  firstRequestAtZero,
  oneAtATime,
  oneAtATimeManifest,
  trafficSplit,
  type Answer,
  type World,
} from './scenarios.ts';

const folder = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));
const manifest = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** Counts the requests that one instance has at once; a module of its own per worker. */
const narrowModule = `
let inFlight = 0;
export async function handle(context) {
  inFlight++;
  const atOnce = inFlight;
  await new Promise((resolve) => setTimeout(resolve, 20));
  inFlight--;
  return { atOnce };
}
`;

describe('the quickstart over real sockets', () => {
  let host: Host;
  let world: World;
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'knative-embed-e2e-'));
    await writeFile(join(dataDir, 'narrow.mjs'), narrowModule);
    host = await createHost({
      baseDir: folder,
      dataDir: join(dataDir, 'data'),
      images: {
        'example.com/hello': './hello.ts',
        'example.com/greeter': './greeter.ts',
        'example.com/inbox': './inbox.ts',
        'example.com/narrow': join(dataDir, 'narrow.mjs'),
      },
    });
    const { port } = await host.listen({ port: 0 });
    world = {
      host,
      request: (authority, path = '/', init = {}) => request(port, authority, path, init),
      async until(what, condition, limitMs) {
        // Each look happens after a change of the store; conditions that ask by request are asked again right after the answer.
        let holds = await condition();
        const deadline = AbortSignal.timeout(limitMs);
        while (!holds) {
          deadline.throwIfAborted();
          await Promise.race([nextChange(host, deadline, what), turns(20)]);
          holds = await condition();
        }
      },
    };
    await host.apply(manifest('autoscaler.yaml'));
    const [first = '', second = ''] = manifest('hello.yaml').split('\n---\n');
    await host.apply(first);
    await host.ready('services.serving.knative.dev', 'hello');
    await host.apply(second);
    await host.apply(manifest('eventing.yaml'));
    await host.apply(oneAtATimeManifest('example.com/narrow'));
    for (const name of ['hello', 'greeter', 'inbox']) await host.ready('services.serving.knative.dev', name);
    await host.ready('triggers.eventing.knative.dev', 'inbox');
  });
  afterAll(async () => {
    await host.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('the first request to a service at zero gets its 200', () => firstRequestAtZero(world));
  test('1,000 requests split 80/20 and the tag host always hits its revision', () => trafficSplit(world));
  test('an event reaches the function and its reply the consumer', () => eventAndReply(world));
  test('200 requests at once, one per Pod, five Pods at most', () => oneAtATime(world));
  test('an idle service goes back to zero', () => backToZero(world));
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves with the next change of the store; the autoscaler's ticks and reports make one at least every few seconds. */
async function nextChange(host: Host, signal: AbortSignal, what: string): Promise<void> {
  const version = host.store.resourceVersion;
  await host.waitFor(what, () => host.store.resourceVersion > version, { timeoutMs: 120_000, signal });
}

function request(
  port: number,
  authority: string,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, method: init.method ?? 'GET', headers: { ...init.headers, host: `${authority}:${port}` } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(init.body);
  });
}
