// What a program finds, and what a Service says about one that does not run: the runtime contract through a whole host.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurations } from '../../src/api/serving/configuration.ts';
import { revisions } from '../../src/api/serving/revision.ts';
import { routes } from '../../src/api/serving/route.ts';
import { services } from '../../src/api/serving/service.ts';
import type { Policy } from '../../src/autoscaler/index.ts';
import { isReadyPod, nodeProgram, openWorld, ownPort, podsOf, programs, ready, serviceOf, type HostWorld } from './host-world.ts';

interface Found {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly files: Readonly<Record<string, string | null>>;
}

const canMakeNamespaces = process.getuid?.() === 0 && spawnSync('ip', ['netns', 'list']).status === 0;
const fixedPort = ownPort();
const workFolder = join(mkdtempSync(join(tmpdir(), 'knative-embed-work-')), 'work');
mkdirSync(workFolder);
let desired = 1;
const two: Policy = {
  name: 'told',
  metrics: () => [],
  initial: () => undefined,
  decide: (_observation, _state, nowMs) => ({ desired, excessBurstCapacity: 0, valid: true, nextCheckMs: nowMs + 50 }),
};

let world: HostWorld;
beforeAll(async () => {
  world = await openWorld({
    images: {
      'example.com/contract': nodeProgram('contract.mjs'),
      'example.com/aliased': {
        ...nodeProgram('contract.mjs'),
        paths: { '/app/run': process.execPath, '/app/contract.mjs': join(programs, 'contract.mjs') },
      },
      'example.com/fixed': { ...nodeProgram('contract.mjs'), port: fixedPort, env: { FIXED_PORT: String(fixedPort) } },
      'example.com/sidecar': nodeProgram('sidecar.mjs'),
      'example.com/exits': { command: [process.execPath, '-e', 'console.error("no license"); process.exit(5)'] },
    },
    policyFor: (key) => (key.includes('fixed') ? two : undefined),
    runtime: { restartBackoff: { initialMs: 10, maxMs: 50 } },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const found = async (service: string): Promise<Found> => JSON.parse((await world.get(service)).body) as Found;

test('environment from values, config maps and secrets; argv; working directory; PORT; user', async () => {
  const { host } = world;
  await host.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { COLOUR: 'blue', SIZE: '7' },
  });
  await host.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'default' },
    stringData: { password: 'hunter2' },
  });
  const containerPort = ownPort();
  await host.apply(
    serviceOf('env', {
      image: 'example.com/aliased',
      ports: [{ containerPort }],
      command: ['/app/run'],
      args: ['/app/contract.mjs', 'one', 'two words', '$(COLOUR)'],
      workingDir: workFolder,
      envFrom: [
        { configMapRef: { name: 'settings' } },
        { secretRef: { name: 'login' }, prefix: 'LOGIN_' },
        { configMapRef: { name: 'missing', optional: true } },
      ],
      env: [
        { name: 'PLAIN', value: 'value' },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
        { name: 'SHIRT', valueFrom: { configMapKeyRef: { name: 'settings', key: 'SIZE' } } },
      ],
      securityContext: process.getuid?.() === 0 ? { runAsUser: 65532 } : {},
    }),
  );
  await ready(host, 'env');
  const { env, argv, cwd, uid } = await found('env');
  expect(env).toMatchObject({
    COLOUR: 'blue',
    SIZE: '7',
    LOGIN_password: 'hunter2',
    PLAIN: 'value',
    PASSWORD: 'hunter2',
    SHIRT: '7',
    PORT: String(containerPort),
    K_SERVICE: 'env',
    K_CONFIGURATION: 'env',
    K_REVISION: 'env-00001',
  });
  expect(argv).toEqual(['one', 'two words', 'blue']);
  expect(cwd).toBe(workFolder);
  if (process.getuid?.() === 0) expect(uid).toBe(65532);
});

test('volumes from config maps, secrets, projections and empty directories', async () => {
  const { host } = world;
  await host.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'files', namespace: 'default' },
    data: { 'a.txt': 'from a config map' },
  });
  await host.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'default' },
    stringData: { 'b.txt': 'from a secret' },
  });
  await host.apply(
    serviceOf(
      'volumes',
      {
        image: 'example.com/contract',
        env: [
          { name: 'FILE_A', value: '/etc/files/a.txt' },
          { name: 'FILE_B', value: '/etc/keys/b.txt' },
          { name: 'FILE_C', value: '/etc/all/renamed.txt' },
        ],
        volumeMounts: [
          { name: 'files', mountPath: '/etc/files' },
          { name: 'keys', mountPath: '/etc/keys' },
          { name: 'all', mountPath: '/etc/all' },
          { name: 'scratch', mountPath: '/scratch' },
        ],
      },
      {
        volumes: [
          { name: 'files', configMap: { name: 'files' } },
          { name: 'keys', secret: { secretName: 'keys' } },
          {
            name: 'all',
            projected: { sources: [{ configMap: { name: 'files', items: [{ key: 'a.txt', path: 'renamed.txt' }] } }] },
          },
          { name: 'scratch', emptyDir: {} },
        ],
      },
    ),
  );
  await ready(host, 'volumes');
  const { files } = await found('volumes');
  expect(files).toEqual({ 'a.txt': 'from a config map', 'b.txt': 'from a secret', 'renamed.txt': 'from a config map' });
  // Files of a running program follow their source; so does a kubelet, a minute later.
  await host.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'files', namespace: 'default' },
    data: { 'a.txt': 'changed' },
  });
  expect((await found('volumes')).files).toEqual({ 'a.txt': 'changed', 'b.txt': 'from a secret', 'renamed.txt': 'changed' });
});

test('several containers of one revision find one another on localhost', async () => {
  const { host } = world;
  const sidecarPort = String(ownPort());
  await host.apply({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'pair' },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'main',
              image: 'example.com/contract',
              ports: [{ containerPort: ownPort() }],
              env: [{ name: 'SIDECAR_PORT', value: sidecarPort }],
            },
            { name: 'beside', image: 'example.com/sidecar', env: [{ name: 'SIDECAR_PORT', value: sidecarPort }] },
          ],
        },
      },
    },
  });
  await ready(host, 'pair');
  expect((await world.get('pair', '/sidecar')).body).toBe('beside');
  expect(podsOf(host, 'pair')[0]?.status?.containerStatuses?.map(({ name, ready: state }) => [name, state])).toEqual([
    ['main', true],
    ['beside', true],
  ]);
});

test.skipIf(!canMakeNamespaces)('a program with a fixed port scales by network namespaces', async () => {
  const { host } = world;
  await host.apply(serviceOf('fixed', { image: 'example.com/fixed' }));
  await ready(host, 'fixed');
  desired = 2;
  await host.waitFor('two are ready', () => podsOf(host, 'fixed').filter(isReadyPod).length === 2, { timeoutMs: 15_000 });
  const pids = new Set<number>();
  for (let i = 0; i < 40; i++) pids.add((await found('fixed')).pid);
  expect(pids.size).toBe(2);
});

describe('what does not run', () => {
  const conditionOf = (
    object:
      | {
          readonly status?: {
            readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
          };
        }
      | undefined,
    type: string,
  ): { status: string; reason?: string; message?: string } | undefined =>
    object?.status?.conditions?.find((condition) => condition.type === type);

  const allFalse = async (name: string): Promise<void> => {
    const { host } = world;
    await host.waitFor(
      `${name} is not ready`,
      () =>
        ['Ready', 'RoutesReady', 'ConfigurationsReady'].every(
          (type) => conditionOf(host.get(services, 'default', name), type)?.status === 'False',
        ),
      { timeoutMs: 20_000 },
    );
    const revision = `${name}-00001`;
    expect(host.get(services, 'default', name)?.status?.latestCreatedRevisionName).toBe(revision);
    for (const object of [
      host.get(configurations, 'default', name),
      host.get(revisions, 'default', revision),
      host.get(routes, 'default', name),
    ]) {
      const condition = conditionOf(object, 'Ready');
      expect(condition?.status).toBe('False');
      expect(condition?.reason).toBeTruthy();
      expect(condition?.message).toBeTruthy();
    }
  };

  test('an unknown image', async () => {
    await world.host.apply(serviceOf('unknown', { image: 'example.com/nobody/knows' }));
    await allFalse('unknown');
    expect(conditionOf(world.host.get(revisions, 'default', 'unknown-00001'), 'Ready')?.message).toMatch(/no program for image/);
  });

  test('a program that exits with code 5', async () => {
    await world.host.apply(serviceOf('exits', { image: 'example.com/exits' }));
    await allFalse('exits');
    const { reason = '', message = '' } =
      conditionOf(world.host.get(revisions, 'default', 'exits-00001'), 'ContainerHealthy') ?? {};
    expect(`${reason} ${message}`).toMatch(/ExitCode5/);
    expect(message).toMatch(/no license/);
  });

  test('what is forbidden is refused with the path of its field', async () => {
    await expect(
      world.host.apply(serviceOf('bad', { image: 'example.com/contract' }, { serviceAccountName: 'Not_A_Name' })),
    ).rejects.toThrow(/spec\.template\.spec\.serviceAccountName/);
  });
});
