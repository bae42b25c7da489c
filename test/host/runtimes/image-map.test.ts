import { expect, test } from 'vitest';
import { KnativeError } from '../../../src/errors.ts';
import { createImageMap, repositoryOf, unmappedMessage, type ImageProgram } from '../../../src/host/runtimes/image-map.ts';
import { engineRunArguments } from '../../../src/host/runtimes/engine-command.ts';
import type { Launch } from '../../../src/host/runtimes/launcher.ts';
import type { EngineProgram } from '../../../src/host/runtimes/image-map.ts';

const baseDir = '/srv/app';

test('the exact reference wins over the one without digest, without tag, and the longest prefix', () => {
  const map = createImageMap(
    {
      'example.com/a:v1': './exact.ts',
      'example.com/a': './any.ts',
      'example.com/*': './prefix.ts',
      'example.com/team/*': './longer.ts',
      'localhost:5000/b': './registry-port.ts',
    },
    { baseDir },
  );
  const moduleOf = (image: string): unknown => {
    const program = map.resolve(image);
    return program?.kind === 'function' ? program.module : undefined;
  };
  expect(moduleOf('example.com/a:v1')).toBe('/srv/app/exact.ts');
  expect(moduleOf('example.com/a:v1@sha256:00')).toBe('/srv/app/exact.ts');
  expect(moduleOf('example.com/a@sha256:00')).toBe('/srv/app/any.ts');
  expect(moduleOf('example.com/a:v2')).toBe('/srv/app/any.ts');
  expect(moduleOf('example.com/other')).toBe('/srv/app/prefix.ts');
  expect(moduleOf('example.com/team/other')).toBe('/srv/app/longer.ts');
  expect(moduleOf('localhost:5000/b:v3')).toBe('/srv/app/registry-port.ts');
  expect(moduleOf('elsewhere/a')).toBeUndefined();
});

test('programs: relative paths start from the base folder, plain names from PATH', () => {
  const map = createImageMap(
    {
      relative: { command: ['./bin/server', '--flag'], user: '65532:100', port: 9000, paths: { '/app': './dist' } },
      name: { command: ['python3', 'app.py'] },
      process: { function: 'fn.mjs', isolation: 'process' },
      engine: { engine: 'docker' },
    },
    { baseDir },
  );
  expect(map.resolve('relative')).toEqual({
    kind: 'command',
    command: ['/srv/app/bin/server', '--flag'],
    args: [],
    env: {},
    user: { uid: 65532, gid: 100 },
    port: 9000,
    cwd: '/srv/app',
    paths: { '/app': '/srv/app/dist' },
  });
  expect(map.resolve('name')).toMatchObject({ command: ['python3', 'app.py'] });
  expect(map.resolve('process')).toMatchObject({ isolation: 'process', module: '/srv/app/fn.mjs' });
  expect(map.resolve('engine:v1')).toMatchObject({ kind: 'engine', image: 'engine:v1' });
});

test.each<[string, unknown]>([
  ['a text that is no module', './program'],
  ['an empty command', { command: [] }],
  ['a command of numbers', { command: [1] }],
  ['nothing known', { image: 'x' }],
  ['a user by name', { command: ['x'], user: 'root' }],
  ['a port out of range', { command: ['x'], port: 70_000 }],
  ['an unknown isolation', { function: './a.ts', isolation: 'vm' }],
  ['a function value in a worker', { function: () => 'x', isolation: 'worker' }],
  ['null', null],
])('refuses %s and names the entry', (_what, value) => {
  const build = (): unknown => createImageMap({ 'example.com/a': value as ImageProgram }, { baseDir });
  expect(build).toThrow(KnativeError);
  expect(build).toThrow(expect.objectContaining({ code: 'HOST_IMAGES_INVALID', path: 'images["example.com/a"]' }));
});

test('refuses a wildcard that is not at the end', () => {
  expect(() => createImageMap({ 'a*b': './a.ts' }, { baseDir })).toThrow(/not an image reference/);
});

test('the message of an unmapped image shows the reference to map', () => {
  expect(repositoryOf('localhost:5000/a/b:v1@sha256:00')).toBe('localhost:5000/a/b');
  expect(unmappedMessage('example.com/a:v1')).toContain(`{ "example.com/a": './function.ts' }`);
});

test('the command line of a container engine', () => {
  const launch = {
    instanceId: 'id',
    podName: 'pod-1',
    namespace: 'default',
    isAlone: true,
    program: { kind: 'engine', engine: 'docker', image: 'example.com/a:v1', runArgs: ['--network=host'], env: {}, paths: {} },
    container: {
      name: 'user-container',
      image: 'example.com/a:v1',
      ports: [{ containerPort: 8000 }],
      command: ['/entry', 'first'],
      args: ['second'],
      workingDir: '/work',
      securityContext: { runAsUser: 5, runAsGroup: 6 },
      limits: { memoryBytes: 1024 },
      volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }],
    },
    env: { A: 'b=c' },
    log: { path: undefined, write: () => undefined, adopt: () => undefined, close: () => undefined },
    resolvePath: (path: string) => `/data${path}`,
  } satisfies Launch<EngineProgram>;
  expect(engineRunArguments(launch, 20_000)).toEqual([
    'run',
    '--rm',
    '--name=pod-1-user-container',
    '--publish=127.0.0.1:20000:8000',
    '--env=A=b=c',
    '--env=PORT=8000',
    '--workdir=/work',
    '--user=5:6',
    '--memory=1024',
    '--volume=/data/v:/v:ro',
    '--entrypoint=/entry',
    '--network=host',
    'example.com/a:v1',
    'first',
    'second',
  ]);
});
