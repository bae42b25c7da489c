import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { createVirtualClock, realClock } from '../../../src/clock.ts';
import { createRestartBackoff } from '../../../src/host/runtimes/backoff.ts';
import { createFileLogs, createMemoryLogs, type ContainerLog } from '../../../src/host/runtimes/log-store.ts';
import { createPathResolver, resolveArgument, resolveEnvironment } from '../../../src/host/runtimes/paths.ts';
import { createPortAllocator } from '../../../src/host/runtimes/ports.ts';
import type { LogOptions } from '../../../src/host/runtimes/runtime.ts';
import { createSparePool } from '../../../src/host/runtimes/spare-pool.ts';
import { createVolumes } from '../../../src/host/runtimes/volumes.ts';

const folder = (): string => mkdtempSync(`${tmpdir()}/knative-embed-test-`);

async function text(log: ContainerLog, options: LogOptions = {}, stopped = true): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of log.read(options, realClock, () => stopped)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('waits double up to the limit and are forgotten after a long run', () => {
  const backoff = createRestartBackoff({ initialMs: 10, maxMs: 35 });
  expect([0, 0, 0, 0, 0].map((ranMs) => backoff.next(ranMs))).toEqual([0, 10, 20, 35, 35]);
  expect([71, 0, 70].map((ranMs) => backoff.next(ranMs))).toEqual([0, 10, 20]);
});

test.each([
  ['files', () => createFileLogs(folder(), { bytesMax: 100 })],
  ['memory', () => createMemoryLogs({ bytesMax: 100 })],
])('logs in %s: tail, previous run, follow into the next run, limit', async (_kind, make) => {
  const log = make();
  expect(await text(log)).toBe('');
  const first = log.open();
  first.write('one\ntwo\nthree\n');
  expect(await text(log, { tailLines: 2 })).toBe('two\nthree\n');
  expect(await text(log, { tailLines: 0 })).toBe('');
  expect(await text(log, { tailLines: 9 })).toBe('one\ntwo\nthree\n');
  const following = text(log, { follow: true });
  const second = log.open();
  second.write('four');
  second.close();
  expect(await following).toBe('one\ntwo\nthree\nfour');
  expect(await text(log, { previous: true })).toBe('one\ntwo\nthree\n');
  const third = log.open();
  for (let i = 0; i < 10; i++) third.write(`${'x'.repeat(19)}\n`);
  log.limit();
  third.write('end\n');
  const kept = await text(log);
  expect(kept.length).toBeLessThanOrEqual(104);
  expect(kept).toMatch(/end\n$/);
  const controller = new AbortController();
  const endless = text(log, { follow: true, signal: controller.signal }, false);
  controller.abort();
  expect(await endless).toBe(kept);
  log.remove();
});

test('a log takes over the file that a spare process has written to', async () => {
  const dir = folder();
  writeFileSync(`${dir}/spare.log`, 'early\n');
  const log = createFileLogs(`${dir}/logs`, { bytesMax: 1_000 });
  const run = log.open();
  run.adopt(`${dir}/spare.log`);
  run.write('late\n');
  expect(await text(log)).toBe('early\nlate\n');
  log.remove();
});

test('paths resolve by the longest alias, in arguments and environment too', () => {
  const resolve = createPathResolver(
    { '/app/': '/srv/app', '/app/bin': '/usr/local/bin' },
    {
      volumeMounts: [
        { name: 'config', mountPath: '/etc/config', subPath: 'sub' },
        { name: 'gone', mountPath: '/gone' },
      ],
    },
    (name) => (name === 'config' ? '/data/config' : undefined),
  );
  expect(['/app', '/app/x', '/app/bin/y', '/application', '/etc/config/k', '/gone/z'].map(resolve)).toEqual([
    '/srv/app',
    '/srv/app/x',
    '/usr/local/bin/y',
    '/application',
    '/data/config/sub/k',
    '/gone/z',
  ]);
  expect(resolveArgument('--file=/app/x', resolve)).toBe('--file=/srv/app/x');
  expect(resolveArgument('a=/app/x', resolve)).toBe('a=/app/x');
  expect(resolveEnvironment({ A: '/app', B: 'http://x/app' }, resolve)).toEqual({ A: '/srv/app', B: 'http://x/app' });
});

test('volumes: files with modes, updates in one step, removed entries, no way out', () => {
  const root = `${folder()}/volumes`;
  const volumes = createVolumes(root, [
    {
      name: 'config',
      files: [
        { path: 'a', content: '1' },
        { path: 'deep/b', content: Buffer.from('2'), mode: 0o400 },
      ],
    },
    { name: 'scratch' },
  ]);
  expect(readFileSync(`${root}/config/a`, 'utf8')).toBe('1');
  expect(statSync(`${root}/config/deep/b`).mode & 0o777).toBe(0o400);
  expect(statSync(`${root}/scratch`).mode & 0o777).toBe(0o777);
  volumes.update('config', [
    { path: 'a', content: '3' },
    { path: 'c', content: '4' },
  ]);
  expect(readFileSync(`${root}/config/a`, 'utf8')).toBe('3');
  expect(readdirSync(`${root}/config`).sort()).toEqual(['..2', '..data', 'a', 'c']);
  for (const path of ['../a', '/a', '', 'a/../b', '..data', 'a//b']) {
    expect(() => volumes.update('config', [{ path, content: '' }])).toThrow(
      expect.objectContaining({ code: 'HOST_VOLUME_INVALID' }),
    );
  }
  expect(readFileSync(`${root}/config/a`, 'utf8')).toBe('3');
  expect(() => volumes.update('other', [])).toThrow(expect.objectContaining({ code: 'HOST_VOLUME_UNKNOWN' }));
  expect(volumes.path('other')).toBeUndefined();
  volumes.remove();
  expect(existsSync(root)).toBe(false);
});

test('ports: no two leases for one port, a released one may be had again', async () => {
  const ports = createPortAllocator();
  const first = await ports.lease(20_051);
  expect(first?.port).toBe(20_051);
  expect(await ports.lease(20_051, { only: true })).toBeUndefined();
  const other = await ports.lease(20_051);
  expect(other?.port).not.toBe(20_051);
  first?.[Symbol.dispose]();
  expect((await ports.lease(20_051, { only: true }))?.port).toBe(20_051);
});

test('spares: taken first, made up for later, given up when they break again and again', () => {
  const clock = createVirtualClock();
  let made = 0;
  const broken: (() => void)[] = [];
  const discarded: number[] = [];
  const pool = createSparePool({
    size: 2,
    clock,
    make: () => ++made,
    discard: (item) => discarded.push(item),
    onBroken: (_item, whenBroken) => broken.push(whenBroken),
  });
  pool.fill();
  expect([pool.size, pool.take(), pool.take(), pool.take(), pool.size]).toEqual([2, 1, 2, 3, 0]);
  clock.advanceSync(1_000);
  expect(pool.size).toBe(2);
  for (let i = 0; i < 10; i++) {
    broken.splice(0).forEach((report) => report());
    pool.fill();
  }
  expect(made).toBeLessThan(12);
  pool.close();
  pool.fill();
  expect(pool.size).toBe(0);
});
