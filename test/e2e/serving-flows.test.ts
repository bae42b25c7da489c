// The serving tutorials of Knative's documentation as runs on virtual time. Manifests and expectations lie in ../shared.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, type TestContext } from 'vitest';
import { defineFunction } from '../../src/functions/index.ts';
import { createTestHost, type TestHost } from '../../src/testing/test-host.ts';
import { podsOf } from './scenarios.ts';

const folder = fileURLToPath(new URL('../../../shared/manifests/knative-docs/', import.meta.url));

interface Flow {
  readonly name: string;
  readonly apply: readonly string[];
  readonly substitute?: Readonly<Record<string, string>>;
  readonly features?: Readonly<Record<string, string>>;
  readonly requests?: readonly {
    readonly host: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
  readonly load?: { readonly concurrency: number; readonly seconds: number };
  readonly expectPods?: { readonly withDefaultUtilisation70: number };
}

function flowNamed(name: string, context: TestContext): Flow {
  if (!existsSync(join(folder, 'FLOWS.json'))) context.skip('the manifests of ../shared are not here');
  const { flows } = JSON.parse(readFileSync(join(folder, 'FLOWS.json'), 'utf8')) as { flows: Flow[] };
  const flow = flows.find((candidate) => candidate.name === name);
  if (flow === undefined) throw new Error(`no flow ${name}`);
  return flow;
}

function documentsOf(flow: Flow): string[] {
  return flow.apply.flatMap((name) => {
    let text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
    for (const [from, to] of Object.entries(flow.substitute ?? {})) text = text.replaceAll(from, to);
    return text.split(/^---$/m).filter((document) => /^kind:/m.test(document));
  });
}

let host: TestHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

test('tag-header: the header chooses the revision, an unknown tag falls back to the split', async (context) => {
  const flow = flowNamed('tag-header', context);
  const running = (host = await createTestHost({
    domain: 'example.com',
    images: { 'docker.io/example/helloworld-go': defineFunction(({ env }) => `Hello ${env['TARGET'] ?? 'World'}!\n`) },
  }));
  await running.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-features', namespace: 'knative-serving' },
    data: { ...flow.features },
  });
  for (const document of documentsOf(flow)) {
    await running.apply(document);
    await running.run(running.ready('services.serving.knative.dev', 'tag-header'));
  }
  for (const { host: authority, headers, body } of flow.requests ?? []) {
    const answer = await running.run(
      running.client.request({ method: 'GET', url: `http://${authority}/`, rawHeaders: Object.entries(headers).flat() }),
    );
    expect([authority, headers, await running.run(answer.text())]).toEqual([authority, headers, body]);
  }
});

test('autoscale-go: steady concurrency ends at the number of pods that target and utilisation ask for', async (context) => {
  const flow = flowNamed('autoscale-go', context);
  const running = (host = await createTestHost({
    images: {
      'ghcr.io/knative/autoscale-go': defineFunction(async (call) => {
        await call.sleep(100);
        return 'done';
      }),
    },
  }));
  for (const document of documentsOf(flow)) await running.apply(document);
  await running.run(running.ready('services.serving.knative.dev', 'autoscale-go'));
  const { concurrency = 0, seconds = 0 } = flow.load ?? {};
  const untilMs = running.clock.now() + seconds * 1000;
  const clients = Array.from({ length: concurrency }, async () => {
    while (running.clock.now() < untilMs) await (await running.fetch('autoscale-go')).text();
  });
  await running.advance(`${seconds - 1}s`);
  expect(podsOf(running, 'autoscale-go')).toHaveLength(flow.expectPods?.withDefaultUtilisation70 ?? 0);
  await running.run(Promise.all(clients));
});
