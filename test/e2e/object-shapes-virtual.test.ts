// What independent clients of Knative rely on after a Service is ready: shapes of objects, revisions and traffic, on virtual time.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { coreServices } from '../../src/api/core/core-service.ts';
import { namespaces } from '../../src/api/core/namespace.ts';
import { pods } from '../../src/api/core/pod.ts';
import { serviceAccounts } from '../../src/api/core/service-account.ts';
import { configurations } from '../../src/api/serving/configuration.ts';
import { revisions } from '../../src/api/serving/revision.ts';
import { routes } from '../../src/api/serving/route.ts';
import { services } from '../../src/api/serving/service.ts';
import { defineFunction } from '../../src/functions/index.ts';
import { createTestHost, type TestHost } from '../../src/testing/test-host.ts';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost({
    images: { 'example.com/hello': defineFunction(({ env }) => `${env['K_REVISION'] ?? ''} ${env['TARGET'] ?? ''}`) },
  });
});
afterEach(() => host.close());

interface Options {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly template?: Readonly<Record<string, unknown>>;
  readonly target?: string;
  readonly traffic?: readonly object[];
}

const hello = ({ labels = {}, annotations = {}, template = {}, target = 'one', traffic }: Options = {}): object => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', labels, annotations },
  spec: {
    template: {
      metadata: template,
      spec: { containers: [{ image: 'example.com/hello', env: [{ name: 'TARGET', value: target }] }] },
    },
    ...(traffic === undefined ? {} : { traffic }),
  },
});

async function apply(options: Options = {}): Promise<void> {
  await host.apply(hello(options));
  await host.run(host.ready('services.serving.knative.dev', 'hello'));
}
const names = (): string[] =>
  host
    .list(revisions)
    .map(({ metadata }) => metadata.name)
    .sort();

describe('a Service that is ready', () => {
  test('has its URLs, names and conditions', async () => {
    await apply();
    const { metadata, status } = host.get(services, 'default', 'hello') ?? {};
    expect(status).toMatchObject({
      url: 'http://hello.default.localhost',
      address: { url: 'http://hello.default.svc.cluster.local' },
      latestCreatedRevisionName: 'hello-00001',
      latestReadyRevisionName: 'hello-00001',
      observedGeneration: metadata?.generation,
    });
    expect(status?.conditions?.map(({ type, status: state }) => [type, state]).sort()).toEqual([
      ['ConfigurationsReady', 'True'],
      ['Ready', 'True'],
      ['RoutesReady', 'True'],
    ]);
    expect(host.get(routes, 'default', 'hello')?.status?.traffic).toEqual([
      { revisionName: 'hello-00001', latestRevision: true, percent: 100 },
    ]);
    expect(host.get(revisions, 'default', 'hello-00001')?.metadata.labels).toMatchObject({
      'serving.knative.dev/configuration': 'hello',
      'serving.knative.dev/service': 'hello',
      'serving.knative.dev/configurationGeneration': '1',
      'serving.knative.dev/routingState': 'active',
    });
    for (const object of [host.get(configurations, 'default', 'hello'), host.get(routes, 'default', 'hello')])
      expect(object?.metadata.labels).toMatchObject({ 'serving.knative.dev/service': 'hello' });
    expect(host.get(coreServices, 'default', 'hello')?.metadata.labels).toMatchObject({
      'serving.knative.dev/service': 'hello',
      'serving.knative.dev/route': 'hello',
    });
  });

  test('says who made it and who changed it last, and so do its children', async () => {
    await apply();
    for (const object of [
      host.get(services, 'default', 'hello'),
      host.get(configurations, 'default', 'hello'),
      host.get(routes, 'default', 'hello'),
      host.get(coreServices, 'default', 'hello'),
    ]) {
      expect(object?.metadata.annotations?.['serving.knative.dev/creator']).toBeTruthy();
      expect(object?.metadata.annotations?.['serving.knative.dev/lastModifier']).toBeTruthy();
    }
  });

  test('gives its labels and annotations to its children and takes them back', async () => {
    await apply({ labels: { team: 'red' }, annotations: { note: 'hi' } });
    const children = () => [host.get(configurations, 'default', 'hello'), host.get(routes, 'default', 'hello')];
    for (const child of [...children(), host.get(coreServices, 'default', 'hello')]) {
      expect(child?.metadata.labels).toMatchObject({ team: 'red' });
      expect(child?.metadata.annotations).toMatchObject({ note: 'hi' });
    }
    expect(host.get(revisions, 'default', 'hello-00001')?.metadata.labels?.['team']).toBeUndefined();
    const generation = host.get(services, 'default', 'hello')?.metadata.generation;
    await host.store.patch(services, 'default', 'hello', { metadata: { labels: { team: null }, annotations: { note: null } } });
    await host.settle();
    for (const child of children()) {
      expect(child?.metadata.labels?.['team']).toBeUndefined();
      expect(child?.metadata.annotations?.['note']).toBeUndefined();
    }
    expect(host.get(services, 'default', 'hello')?.metadata.generation).toBe(generation);
    expect(names()).toEqual(['hello-00001']);
  });
});

test('an image has a digest, unless its registry is a local one', async () => {
  await apply();
  const [container] = host.get(revisions, 'default', 'hello-00001')?.status?.containerStatuses ?? [];
  expect(container?.imageDigest).toMatch(/^example\.com\/hello@sha256:[0-9a-f]{64}$/);
  const [pod] = host.list(pods);
  expect(pod?.spec.containers?.find(({ name }) => name === 'user-container')?.image).toBe(container?.imageDigest);
  expect(pod?.status?.containerStatuses?.[0]?.image).toBe('example.com/hello');
});

describe('revisions and traffic', () => {
  test('a changed template makes one revision, changed traffic none', async () => {
    await apply();
    await apply({ target: 'two' });
    expect(names()).toEqual(['hello-00001', 'hello-00002']);
    await host.settle();
    expect(host.get(revisions, 'default', 'hello-00001')?.metadata.labels?.['serving.knative.dev/routingState']).toBe('reserve');
    await apply({ target: 'two', traffic: [{ revisionName: 'hello-00001', percent: 100 }] });
    expect(names()).toEqual(['hello-00001', 'hello-00002']);
    expect(await (await host.run(host.fetch('hello'))).text()).toBe('hello-00001 one');
    await apply({ target: 'two', template: { labels: { a: 'b' } }, traffic: [{ latestRevision: true, percent: 100 }] });
    expect(names()).toEqual(['hello-00001', 'hello-00002', 'hello-00003']);
  });

  test('a template that keeps its name may not change', async () => {
    await apply({ template: { name: 'hello-first' } });
    expect(names()).toEqual(['hello-first']);
    await expect(host.apply(hello({ template: { name: 'hello-first' }, target: 'other' }))).rejects.toThrow(
      /spec\.template\.metadata\.name/,
    );
    expect(names()).toEqual(['hello-first']);
  });

  test('half and half, by tag, and a tag without a share', async () => {
    await apply();
    await apply({
      target: 'two',
      traffic: [
        { revisionName: 'hello-00001', percent: 50, tag: 'old' },
        { latestRevision: true, percent: 50 },
        { latestRevision: true, tag: 'next' },
      ],
    });
    const { traffic = [] } = host.get(routes, 'default', 'hello')?.status ?? {};
    expect(
      traffic.map(({ revisionName, tag, url, percent = 0, latestRevision }) => [revisionName, tag, url, percent, latestRevision]),
    ).toEqual([
      ['hello-00001', 'old', 'http://old-hello.default.localhost', 50, false],
      ['hello-00002', undefined, undefined, 50, true],
      ['hello-00002', 'next', 'http://next-hello.default.localhost', 0, true],
    ]);
    const ask = async (authority: string): Promise<string> => {
      const answer = await host.run(host.client.request({ method: 'GET', url: `http://${authority}/` }));
      return (await host.run(answer.text())).split(' ')[0] ?? '';
    };
    const counts = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const revision = await ask('hello.default.localhost');
      counts.set(revision, (counts.get(revision) ?? 0) + 1);
    }
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
    for (let i = 0; i < 10; i++) {
      expect(await ask('old-hello.default.localhost')).toBe('hello-00001');
      expect(await ask('next-hello.default.localhost')).toBe('hello-00002');
    }
  });
});

test('a new namespace gets its default service account', async () => {
  await host.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fresh' } });
  await host.settle();
  expect(host.get(namespaces, undefined, 'fresh')).toBeDefined();
  expect(host.get(serviceAccounts, 'fresh', 'default')).toBeDefined();
});
