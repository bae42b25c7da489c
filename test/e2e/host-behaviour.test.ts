import { afterEach, expect, test } from 'vitest';
import { defineFunction } from '../../src/functions/index.ts';
import { createRegistry } from '../../src/telemetry/index.ts';
import { createTestHost, type TestHost } from '../../src/testing/test-host.ts';

let host: TestHost | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: config-network
  namespace: knative-serving
data:
  autocreate-cluster-domain-claims: "true"
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
        - image: example.com/shop
---
apiVersion: serving.knative.dev/v1beta1
kind: DomainMapping
metadata:
  name: shop.example.com
spec:
  ref:
    apiVersion: serving.knative.dev/v1
    kind: Service
    name: shop
`;

test('a DomainMapping leads to its Service, and away again when it is deleted', async () => {
  const running = (host = await createTestHost({
    images: { 'example.com/shop': defineFunction(({ headers }) => `shop at ${headers['host'] ?? ''}`) },
  }));
  await running.apply(manifest);
  await running.run(running.ready('services.serving.knative.dev', 'shop'));
  await running.run(running.ready('domainmappings.serving.knative.dev', 'shop.example.com'));
  const get = async (): Promise<[number, string]> => {
    const answer = await running.run(running.client.request({ method: 'GET', url: 'http://shop.example.com/' }));
    return [answer.status, await running.run(answer.text())];
  };
  expect(await get()).toEqual([200, 'shop at shop.example.com']);
  const [kind] = running.store.kinds.filter(({ plural }) => plural === 'domainmappings');
  if (kind !== undefined) await running.delete(kind, 'default', 'shop.example.com');
  await running.settle();
  expect((await get())[0]).toBe(404);
});

test('settings are live, and a bad one is refused while the last good one stays', async () => {
  const running = (host = await createTestHost({ images: { 'example.com/shop': defineFunction(() => 'ok') } }));
  const domain = (data: Record<string, string>): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-autoscaler', namespace: 'knative-serving' },
    data,
  });
  await running.apply(domain({ 'scale-to-zero-grace-period': '10s' }));
  await expect(running.apply(domain({ 'scale-to-zero-grace-period': 'soon' }))).rejects.toMatchObject({ code: 'API_INVALID' });
  const [kind] = running.store.kinds.filter(({ plural }) => plural === 'configmaps');
  expect(kind === undefined ? undefined : running.get(kind, 'knative-serving', 'config-autoscaler')).toMatchObject({
    data: { 'scale-to-zero-grace-period': '10s' },
  });
});

test('an autoscaler class that does not run here fails the Revision with its reason', async () => {
  const running = (host = await createTestHost({ images: { 'example.com/shop': defineFunction(() => 'ok') } }));
  await running.apply({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'by-cpu' },
    spec: {
      template: {
        metadata: {
          annotations: {
            'autoscaling.knative.dev/class': 'hpa.autoscaling.knative.dev',
            'autoscaling.knative.dev/metric': 'cpu',
          },
        },
        spec: { containers: [{ image: 'example.com/shop' }] },
      },
    },
  });
  await running.settle();
  const [kind] = running.store.kinds.filter(({ kind: name }) => name === 'PodAutoscaler');
  const found = kind === undefined ? undefined : running.get(kind, 'default', 'by-cpu-00001');
  expect(found?.status).toMatchObject({
    conditions: expect.arrayContaining([
      expect.objectContaining({ type: 'Active', status: 'False', reason: 'AutoscalerClassNotSupported' }),
    ]) as unknown,
  });
  await expect(running.run(running.ready('services.serving.knative.dev', 'by-cpu', { timeoutMs: 1_000 }))).rejects.toMatchObject({
    code: 'HOST_NOT_READY',
  });
});

test('the autoscaler shows its gauges under upstream names', async () => {
  const registry = createRegistry();
  const running = (host = await createTestHost({ meter: registry, images: { 'example.com/shop': defineFunction(() => 'ok') } }));
  await running.apply({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { template: { spec: { containers: [{ image: 'example.com/shop' }] } } },
  });
  await running.run(running.ready('services.serving.knative.dev', 'shop'));
  await running.advance('5s');
  const text = registry.prometheus();
  for (const name of [
    'kn_revision_pods_desired',
    'kn_revision_capacity_excess',
    'kn_revision_panic_mode',
    'kn_revision_concurrency_stable',
  ]) {
    expect(text).toMatch(new RegExp(`^${name}[^\\n]*kn_revision_name="shop-00001"`, 'm'));
  }
  const podsNow = (): string[] =>
    registry
      .prometheus()
      .split('\n')
      .filter((line) => /^kn_revision_pods_.*kn_service_name="shop"/.test(line))
      .map((line) => line.replace(/\{.*\}/, ''));
  expect(podsNow().sort()).toEqual([
    'kn_revision_pods_count 1',
    'kn_revision_pods_desired 0',
    'kn_revision_pods_not_ready_count 0',
    'kn_revision_pods_pending_count 0',
    'kn_revision_pods_requested 1',
    'kn_revision_pods_terminating_count 0',
  ]);
  await running.advance('10m');
  expect(podsNow()).toContain('kn_revision_pods_count 0');
  expect(podsNow()).toContain('kn_revision_pods_requested 0');
});
