import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { startTimeOf } from '../../../src/host/runtimes/process-table.ts';
import { logText, podSpec, programs, startRuntime, until } from './harness.ts';

const isAlive = (pid: number): boolean => startTimeOf(pid) !== undefined;

test('instances of a host that was killed are reaped with everything that they started', async () => {
  const dataDir = await mkdtemp(`${tmpdir()}/knative-embed-test-`);
  const host = spawn(process.execPath, [`${programs}/killed-host.ts`, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(host.stdout, 'data')) as [Buffer];
  const pids = chunk.toString().trim().split(' ').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  host.kill('SIGKILL');
  await once(host, 'exit');
  expect(pids.map(isAlive)).toEqual([true, true]);
  await using _next = await startRuntime({}, { dataDir });
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(readdirSync(`${dataDir}/processes`)).toEqual([]);
});

test('a process whose start time differs from the record is left alone', async () => {
  const stranger = spawn('sleep', ['300'], { detached: true });
  const dataDir = await mkdtemp(`${tmpdir()}/knative-embed-test-`);
  mkdirSync(`${dataDir}/processes`);
  const record = { pid: stranger.pid, startTime: 'boot/12345', podName: 'pod' };
  writeFileSync(`${dataDir}/processes/${stranger.pid}.json`, JSON.stringify(record));
  writeFileSync(`${dataDir}/processes/1.json`, '{"pid": 1, "startTime": "x", "podName": "init"}');
  writeFileSync(`${dataDir}/processes/9.json`, 'half a rec');
  await using _host = await startRuntime({}, { dataDir });
  expect(isAlive(stranger.pid ?? 0)).toBe(true);
  expect(readdirSync(`${dataDir}/processes`)).toEqual([]);
  stranger.kill('SIGKILL');
});

test('stopping an instance ends the whole tree, and its record and folders go', async () => {
  await using host = await startRuntime({ tree: { command: ['sh', 'tree.sh'] } });
  const spec = podSpec({ image: 'tree', ports: [] }, { volumes: [{ name: 'scratch' }] });
  const instance = host.runtime.start(spec);
  await until(instance, ({ ready }) => ready);
  let text = '';
  while (!text.includes('\n')) text = await logText(instance);
  const pids = text.trim().split(' ').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  await instance.stop(2_000);
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(readdirSync(`${host.dataDir}/processes`)).toEqual([]);
  expect(existsSync(`${host.dataDir}/volumes/${spec.id}`)).toBe(false);
});

test('a program that ignores SIGTERM is killed after its grace', async () => {
  await using host = await startRuntime({
    deaf: { command: ['sh', '-c', "trap '' TERM; echo up; while :; do sleep 0.1; done"] },
  });
  const instance = host.runtime.start(podSpec({ image: 'deaf', ports: [] }));
  let text = '';
  while (!text.includes('up')) text = await logText(instance);
  await instance.stop(100);
  expect(instance.status.containers[0]?.state).toMatchObject({ kind: 'terminated', exitCode: 137, signal: 'SIGKILL' });
});
