import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { get, isReady, logText, podSpec, programs, startRuntime, until } from './harness.ts';

const python = { command: ['python3', 'server.py'] };
const containerOf = (name: string, image: string) => ({ name, image });

test('several containers of an instance share localhost; init containers run first, one after the other', async () => {
  await using host = await startRuntime({
    'example.com/hello': python,
    prepare: { command: ['sh', '-c', 'echo "$0" >> "$SCRATCH/order"'] },
    sidecar: { command: ['python3', 'server.py'], env: { FIXED_PORT: '0' } },
  });
  const mounts = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }], env: { SCRATCH: '/scratch' } };
  const instance = host.runtime.start({
    ...podSpec({ env: { SCRATCH: '/scratch' }, volumeMounts: mounts.volumeMounts }),
    initContainers: [
      { ...containerOf('first', 'prepare'), ...mounts, args: ['one'] },
      { ...containerOf('second', 'prepare'), ...mounts, args: ['two'] },
    ],
    containers: [
      { ...containerOf('user-container', 'example.com/hello'), ports: [{ containerPort: 8080 }], ...mounts },
      { ...containerOf('helper', 'sidecar'), env: { FIXED_PORT: '20011' }, readinessProbe: { tcpSocket: { port: 20011 } } },
    ],
    volumes: [{ name: 'scratch' }],
  });
  const status = await until(instance, isReady);
  expect(status.initContainers.map(({ state }) => state)).toMatchObject([
    { kind: 'terminated', exitCode: 0 },
    { kind: 'terminated', exitCode: 0 },
  ]);
  const { env } = (await get(instance)) as { env: Record<string, string> };
  expect(readFileSync(`${env['SCRATCH']}/order`, 'utf8')).toBe('one\ntwo\n');
  expect(((await (await fetch('http://127.0.0.1:20011/')).json()) as { env: object }).env).not.toHaveProperty('PORT');
  await instance.stop(2_000);
});

test('files of config maps and secrets appear under their mount path and change in one step', async () => {
  await using host = await startRuntime({ 'example.com/hello': python });
  const file = (content: string) => [{ path: 'settings.json', content, mode: 0o440 }];
  const instance = host.runtime.start(
    podSpec(
      { args: ['--config=/etc/config/settings.json'], volumeMounts: [{ name: 'config', mountPath: '/etc/config' }] },
      { volumes: [{ name: 'config', files: file('one') }] },
    ),
  );
  await until(instance, isReady);
  const { argv } = (await get(instance)) as { argv: string[] };
  const path = argv[1]?.replace('--config=', '') ?? '';
  expect(readFileSync(path, 'utf8')).toBe('one');
  instance.updateVolume('config', file('two'));
  expect(readFileSync(path, 'utf8')).toBe('two');
});

test('a program with a fixed port runs once at a time; the next one waits and says why', async () => {
  await using host = await startRuntime(
    { 'example.com/hello': { ...python, env: { FIXED_PORT: '20021' }, port: 20021 } },
    { networkNamespaces: false },
  );
  const spec = podSpec({});
  expect(host.runtime.instancesMax(spec.containers)).toMatchObject({ max: 1 });
  const first = host.runtime.start(spec);
  await until(first, isReady);
  expect(first.address).toBe('127.0.0.1:20021');
  const second = host.runtime.start(podSpec({}));
  await until(
    second,
    ({ containers: [container] }) => container?.state.kind === 'waiting' && container.state.reason === 'PortInUse',
  );
  expect(JSON.stringify(second.status)).toContain('only one instance of it can run');
  await first.stop(2_000);
  await until(second, isReady);
});

test('PORT is the containerPort where it is free, else another one, which is noted', async () => {
  await using host = await startRuntime({ 'example.com/hello': python });
  const first = host.runtime.start(podSpec({ ports: [{ containerPort: 20031 }] }));
  await until(first, isReady);
  const second = host.runtime.start(podSpec({ ports: [{ containerPort: 20031 }] }));
  await until(second, isReady);
  expect(first.address).toBe('127.0.0.1:20031');
  expect(second.address).not.toBe('127.0.0.1:20031');
  expect(second.status.containers[0]?.notes[0]).toContain('containerPort 20031 is in use');
});

test("a manifest's command runs only with permission or an alias", async () => {
  const command = ['/usr/bin/entry', 'server.py'];
  await using strict = await startRuntime({ 'example.com/hello': { command: ['false'] } });
  const refused = strict.runtime.start(podSpec({ command }));
  expect(refused.status.containers[0]?.state).toMatchObject({ kind: 'waiting', reason: 'CreateContainerError' });
  expect(JSON.stringify(refused.status)).toContain('allowManifestCommands');

  chmodSync(`${programs}/entry.sh`, 0o755);
  await using aliased = await startRuntime({
    'example.com/hello': { command: ['false'], paths: { '/usr/bin/entry': './entry.sh' } },
  });
  const instance = aliased.runtime.start(podSpec({ command }));
  await until(instance, isReady);
  expect(await logText(instance)).toContain('entered');
});

test('readiness by HTTP, exec and liveness with restart', async () => {
  await using host = await startRuntime({ 'example.com/hello': { ...python, paths: { '/bin/check': '/bin/test' } } });
  const quick = { periodSeconds: 0.05, failureThreshold: 2 };
  const instance = host.runtime.start(
    podSpec({
      env: { START_DELAY: '0.2' },
      readinessProbe: { httpGet: { path: '/healthz' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, ...quick, periodSeconds: 0.5, initialDelaySeconds: 1 },
      startupProbe: { exec: { command: ['/bin/check', '-d', '/'] }, ...quick },
    }),
  );
  await until(instance, isReady);
  await get(instance, '/sicken');
  await until(instance, ({ ready, containers }) => ready && containers[0]?.restartCount === 1);
  expect(instance.status.containers[0]?.lastTerminated?.message).toContain('failed liveness probe');
});

test('exec probes run aliased commands only', async () => {
  await using host = await startRuntime({ 'example.com/hello': python });
  const probe = { exec: { command: ['/bin/true'] }, periodSeconds: 0.05, failureThreshold: 1 };
  const instance = host.runtime.start(podSpec({ startupProbe: probe }));
  const status = await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(status.containers[0]?.lastTerminated?.message).toContain('allowManifestCommands');
});

test.each([true, false])('a process above its memory limit is killed (control groups: %s)', async (controlGroups) => {
  await using host = await startRuntime({ 'example.com/hello': python }, { controlGroups });
  const instance = host.runtime.start(podSpec({ limits: { memoryBytes: 100 * 1024 * 1024 } }));
  await until(instance, isReady);
  await get(instance, '/grow').catch(() => undefined);
  const status = await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(status.containers[0]?.lastTerminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
});

test.skipIf(process.getuid?.() !== 0)('the container runs as the user that it asks for, and may open its log again', async () => {
  await using host = await startRuntime({
    'example.com/hello': { command: ['/usr/bin/env', 'sh', '-c', 'id -u; echo again > /dev/stderr'] },
  });
  const instance = host.runtime.start(podSpec({ ports: [], securityContext: { runAsUser: 65532 } }));
  await until(instance, ({ containers }) => containers[0]?.lastTerminated !== undefined);
  expect(instance.status.containers[0]?.lastTerminated?.exitCode).toBe(0);
});

test('a port that something else on the machine holds is not given out', async () => {
  const squatter = createServer().listen(20041, '127.0.0.1');
  await using host = await startRuntime({ 'example.com/hello': python });
  const instance = host.runtime.start(podSpec({ ports: [{ containerPort: 20041 }] }));
  await until(instance, isReady);
  expect(instance.address).not.toBe('127.0.0.1:20041');
  squatter.close();
});

test.skipIf(process.getuid?.() !== 0)('programs with a fixed port scale by network namespaces where permitted', async () => {
  await using host = await startRuntime({
    'example.com/hello': { ...python, env: { FIXED_PORT: '20061', LISTEN_HOST: '0.0.0.0' }, port: 20061 },
  });
  const start = () => host.runtime.start(podSpec({ env: { K_SINK: 'http://127.0.0.1:8080/broker' } }));
  expect(host.runtime.instancesMax(podSpec({}).containers)).toBeUndefined();
  const [first, second, third] = [start(), start(), start()] as const;
  await Promise.all([first, second, third].map((instance) => until(instance, isReady)));
  const addresses = [first, second, third].map(({ address }) => address);
  expect(new Set(addresses).size).toBe(3);
  const inside = [first, second].find(({ address }) => address !== '127.0.0.1:20061') ?? third;
  const { env } = (await get(inside)) as { env: Record<string, string> };
  expect(env).toMatchObject({ PORT: '20061' });
  expect(env['K_SINK']).toMatch(/^http:\/\/10\.231\.\d+\.\d+:8080\/broker$/);
  expect(inside.status.containers[0]?.notes[0]).toContain('network stack of its own');
});
