import { expect, test } from 'vitest';
import type { Handler } from '../../../src/http/exchange.ts';
import { createMemoryNetwork } from '../../../src/http/memory-network.ts';
import { get, isReady, logText, podSpec, startRuntime, until } from './harness.ts';

test('a function module runs in a worker; two instances share neither module nor environment', async () => {
  await using host = await startRuntime({ 'example.com/hello': './hello.ts' });
  const first = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00001' } }));
  const second = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00002' } }));
  await Promise.all([until(first, isReady), until(second, isReady)]);
  expect(await get(first)).toEqual({ calls: 1, revision: 'hello-00001' });
  expect(await get(first)).toEqual({ calls: 2, revision: 'hello-00001' });
  expect(await get(second)).toEqual({ calls: 1, revision: 'hello-00002' });
  await first.stop(2_000);
  expect(first.status).toMatchObject({ phase: 'Succeeded', containers: [{ state: { kind: 'terminated', exitCode: 0 } }] });
});

test('a function module runs in a pre-started process of its own, and its log is complete', async () => {
  await using host = await startRuntime({ 'example.com/hello': { function: './talkative.ts', isolation: 'process' } });
  const first = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00001' } }));
  const second = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00002' } }));
  await Promise.all([until(first, isReady), until(second, isReady)]);
  const answers = await Promise.all([get(first), get(second)]);
  expect(answers.map(({ revision }) => revision)).toEqual(['hello-00001', 'hello-00002']);
  expect(answers[0]?.['pid']).not.toBe(answers[1]?.['pid']);
  await Promise.all([first.stop(2_000), second.stop(2_000)]);
  expect(await logText(first)).toBe('loaded hello-00001\ncalled\n');
  expect(first.status).toMatchObject({ phase: 'Succeeded' });
});

test.each(['worker', 'process'] as const)('a module that cannot be loaded shows why (%s)', async (isolation) => {
  await using host = await startRuntime({ 'example.com/hello': { function: './absent.ts', isolation } });
  const instance = host.runtime.start(podSpec({}));
  const status = await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 1, reason: 'Error' });
  expect(status.containers[0]?.lastTerminated?.message).toContain('absent.ts');
});

test('a worker above its memory limit ends as OOMKilled and starts again; the host lives on', async () => {
  await using host = await startRuntime({ 'example.com/hello': './greedy.ts' });
  const instance = host.runtime.start(podSpec({ limits: { memoryBytes: 32 * 1024 * 1024 } }));
  await until(instance, isReady);
  await get(instance, '/?grow=1').catch(() => undefined);
  const status = await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  await until(instance, ({ ready, containers }) => ready && containers[0]?.restartCount === 1);
});

test('a worker that does not end in its grace period is terminated', async () => {
  await using host = await startRuntime({ 'example.com/hello': './stubborn.ts' });
  const instance = host.runtime.start(podSpec({}));
  await until(instance, isReady);
  await instance.stop(100);
  expect(instance.status.containers[0]?.state).toMatchObject({ kind: 'terminated', exitCode: 137 });
});

test('an uncaught error ends the worker with its stack in the log, and it starts again', async () => {
  await using host = await startRuntime({ 'example.com/hello': './crashing.ts' });
  const instance = host.runtime.start(podSpec({}));
  await until(instance, isReady);
  await get(instance).catch(() => undefined);
  const status = await until(instance, ({ ready, containers }) => ready && containers[0]?.restartCount === 1);
  expect(status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 1, reason: 'Error' });
  expect(await logText(instance, { previous: true })).toContain('outside of any call');
});

test('an instance that is stopped while it starts ends, however it is run', async () => {
  await using host = await startRuntime({
    worker: './hello.ts',
    process: { function: './hello.ts', isolation: 'process' },
    command: { command: ['python3', 'server.py'] },
  });
  const instances = ['worker', 'process', 'command'].map((image) => host.runtime.start(podSpec({ image })));
  await Promise.all(instances.map((instance) => instance.stop(2_000)));
  expect(instances.map(({ status }) => status.containers[0]?.state.kind)).toEqual(['terminated', 'terminated', 'terminated']);
});

test.each(['worker', 'process', 'in-process'] as const)('background work is counted while it lasts (%s)', async (isolation) => {
  await using host = await startRuntime({ 'example.com/hello': { function: './background.ts', isolation } });
  const instance = host.runtime.start(podSpec({}));
  await until(instance, isReady);
  const counts: number[] = [];
  instance.onChange(() => counts.push(instance.backgroundWork));
  const call = () => (instance.handler === undefined ? get(instance) : callHandler(instance.handler));
  await call();
  await until(instance, () => counts.includes(1) && instance.backgroundWork === 0);
});

async function callHandler(handler: Handler): Promise<void> {
  const { client } = createMemoryNetwork({ fallback: handler });
  await (await client.request({ method: 'GET', url: 'http://hello/' })).text();
}
