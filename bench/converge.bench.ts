// Many Services in one host: CPU to converge, memory per Service, and what a change to one costs among few and among many.
// `node --expose-gc bench/converge.bench.ts [COUNT…]`, default 10 100 1000 10000. Everything on virtual time, no instances (initial scale 0).
import { services } from '../src/api/serving/service.ts';
import { defineFunction } from '../src/functions/index.ts';
import { isReady } from '../src/host/index.ts';
import { createTestHost } from '../src/testing/test-host.ts';

const counts = process.argv.slice(2).map(Number);
const changes = 40;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const heapBytes = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

async function measure(count: number): Promise<string> {
  await using host = await createTestHost({ images: { 'example.com/app': defineFunction(() => 'ok') } });
  await host.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-autoscaler', namespace: 'knative-serving' },
    data: { 'allow-zero-initial-scale': 'true' },
  });
  const service = (name: string, value: string): object => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      template: {
        metadata: { annotations: { 'autoscaling.knative.dev/initial-scale': '0' } },
        spec: { containers: [{ image: 'example.com/app', env: [{ name: 'VALUE', value }] }] },
      },
    },
  });
  const heapBefore = heapBytes();
  const before = cpuMs();
  for (let i = 0; i < count; i++) await host.apply(service(`service-${i}`, 'a'));
  await host.until(() => host.list(services).every(isReady));
  const convergeMs = cpuMs() - before;
  const bytes = (heapBytes() - heapBefore) / count;
  const costs: number[] = [];
  for (let i = 0; i < changes; i++) {
    const name = `service-${Math.floor((i * count) / changes)}`;
    const start = cpuMs();
    await host.apply(service(name, `b${i}`));
    await host.until(() => {
      const found = host.get(services, 'default', name);
      return isReady(found) && found?.status?.latestReadyRevisionName === found?.status?.latestCreatedRevisionName;
    });
    costs.push(cpuMs() - start);
  }
  costs.sort((a, b) => a - b);
  const median = costs[Math.floor(costs.length / 2)] ?? 0;
  return `| ${count} | ${(convergeMs / count).toFixed(2)} | ${(bytes / 1024).toFixed(0)} | ${median.toFixed(2)} |`;
}

console.log('| Services | CPU to converge, ms each | heap, KiB each | a change to one, CPU ms (median) |\n|---|---|---|---|');
for (const count of counts.length > 0 ? counts : [10, 100, 1_000, 10_000]) console.log(await measure(count));
