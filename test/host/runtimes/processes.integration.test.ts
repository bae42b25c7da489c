import { expect, test } from 'vitest';
import { get, isReady, logText, podSpec, startRuntime, until } from './harness.ts';

const python = { command: ['python3', 'server.py'], args: ['--by-image'] };

test('a command runs with its own environment, PORT, argv, closed stdin and a log', async () => {
  await using host = await startRuntime({ 'example.com/hello': python });
  const instance = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00001' }, args: ['--name', 'x'] }));
  await until(instance, isReady);
  const answer = await get(instance);
  expect(answer).toMatchObject({ argv: ['server.py', '--name', 'x'], stdin: '' });
  const env = answer['env'] as Record<string, string>;
  expect(env).toMatchObject({ K_REVISION: 'hello-00001', PORT: instance.address?.split(':')[1] });
  // The test runner's own environment, of which nothing may arrive.
  for (const name of ['VITEST', 'NODE_ENV']) expect(env).not.toHaveProperty(name);
  await get(instance, '/reopen');
  await instance.stop(2_000);
  expect(await logText(instance)).toBe('listening\nwritten through /dev/stdout\n');
  expect(instance.status).toMatchObject({
    phase: 'Failed',
    ready: false,
    containers: [{ state: { kind: 'terminated', exitCode: 143 } }],
  });
});

test('an image without a program waits and says how to map it; a missing program ends with 127', async () => {
  await using host = await startRuntime({ 'example.com/absent': { command: ['no-such-program'] } });
  const unmapped = host.runtime.start(podSpec({ image: 'example.com/hello:v1' }));
  expect(unmapped.status).toMatchObject({
    phase: 'Pending',
    containers: [{ state: { kind: 'waiting', reason: 'ImagePullBackOff' } }],
  });
  expect(JSON.stringify(unmapped.status)).toContain("map it in the host's images");
  const absent = host.runtime.start(podSpec({ image: 'example.com/absent' }));
  const status = await until(absent, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 127, reason: 'ContainerCannotRun' });
});

test('a crashed program starts again, with its exit code on record, and backs off when it crashes again', async () => {
  await using host = await startRuntime({ 'example.com/hello': python });
  const instance = host.runtime.start(podSpec({}));
  await until(instance, isReady);
  await get(instance, '/exit').catch(() => undefined);
  await until(instance, ({ ready, containers }) => ready && containers[0]?.restartCount === 1);
  expect(instance.status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 5, reason: 'Error' });
  await get(instance, '/exit').catch(() => undefined);
  const waiting = await until(instance, ({ containers }) => containers[0]?.state.kind === 'waiting');
  expect(waiting.containers[0]).toMatchObject({
    ready: false,
    restartCount: 1,
    state: { reason: 'CrashLoopBackOff' },
    lastTerminated: { exitCode: 5 },
  });
});
