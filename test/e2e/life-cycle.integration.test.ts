// Probes, crashes and drains of programs in child processes, through a whole host.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { pods } from '../../src/api/core/pod.ts';
import { isReadyPod, nodeProgram, openWorld, ownPort, podsOf, ready, serviceOf, type HostWorld } from './host-world.ts';

let world: HostWorld | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
});

async function open(container: Readonly<Record<string, unknown>>): Promise<HostWorld> {
  const opened = (world = await openWorld({
    images: { 'example.com/server': nodeProgram('server.mjs') },
    runtime: { restartBackoff: { initialMs: 10, maxMs: 50 } },
  }));
  await opened.host.apply(
    serviceOf('server', { image: 'example.com/server', ...container }, {}, { 'autoscaling.knative.dev/min-scale': '1' }),
  );
  await ready(opened.host, 'server');
  return opened;
}

const restarts = ({ host }: HostWorld): number => podsOf(host, 'server')[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0;
const pidOf = async (opened: HostWorld): Promise<number> =>
  (JSON.parse((await opened.get('server')).body) as { pid: number }).pid;

describe('probes', () => {
  test('a failing readiness probe takes the instance out within its period; requests wait', async () => {
    const opened = await open({ readinessProbe: { httpGet: { path: '/healthz' }, periodSeconds: 1, failureThreshold: 1 } });
    expect((await opened.get('server', '/sicken')).body).toBe('sick');
    const sinceMs = performance.now();
    await opened.host.waitFor('the pod is not ready', () => !podsOf(opened.host, 'server').some(isReadyPod), {
      timeoutMs: 5_000,
    });
    expect(performance.now() - sinceMs).toBeLessThan(2_000);
    const waiting = opened.host.fetch('server', '/', { signal: AbortSignal.timeout(300) });
    await expect(waiting).rejects.toThrow();
  });

  test('a failing liveness probe restarts the container and counts it', async () => {
    const opened = await open({ livenessProbe: { httpGet: { path: '/livez' }, periodSeconds: 1, failureThreshold: 2 } });
    const before = await pidOf(opened);
    await opened.get('server', '/stop-living');
    await opened.host.waitFor('a restart', () => restarts(opened) === 1 && podsOf(opened.host, 'server').some(isReadyPod), {
      timeoutMs: 10_000,
    });
    expect(await pidOf(opened)).not.toBe(before);
  });

  test('a startup probe holds the others back', async () => {
    const opened = await open({
      env: [{ name: 'START_DELAY_MS', value: '500' }],
      startupProbe: { tcpSocket: {}, periodSeconds: 1, failureThreshold: 10 },
      livenessProbe: { httpGet: { path: '/livez' }, periodSeconds: 1, failureThreshold: 1 },
    });
    expect(restarts(opened)).toBe(0);
    expect(podsOf(opened.host, 'server')[0]?.status?.containerStatuses?.[0]?.started).toBe(true);
  });
});

describe('an instance that crashes', () => {
  test('in a POST: 502 with the reason, then service goes on', async () => {
    const opened = await open({});
    const answer = await opened.get('server', '/crash', { method: 'POST', body: 'x' });
    expect([answer.status, answer.body.trim()]).toEqual([502, 'EOF']);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect((await opened.get('server')).status).toBe(200);
    await opened.host.waitFor('the restart is told', () => restarts(opened) === 1);
  });

  test('in a POST whose body is still on its way: the same, at once', async () => {
    const opened = await open({});
    const { port } = opened.address;
    const headers = { host: `server.default.localhost:${port}`, 'transfer-encoding': 'chunked' };
    const sent = httpRequest({ host: '127.0.0.1', port, path: '/crash', method: 'POST', headers });
    const answer = once(sent, 'response') as Promise<[IncomingMessage]>;
    sent.write('the first part');
    const [response] = await answer;
    expect([response.statusCode, (await text(response)).trim()]).toEqual([502, 'EOF']);
    sent.destroy();
    expect((await opened.get('server')).status).toBe(200);
  });

  test('at every GET of a kind: two tries, then 502', async () => {
    const opened = await open({});
    const answer = await opened.get('server', '/crash');
    expect([answer.status, answer.body.trim()]).toEqual([502, 'EOF']);
    await opened.host.waitFor('both restarts are told', () => restarts(opened) === 2);
    expect((await opened.get('server')).status).toBe(200);
  });

  test('idle: nobody notices', async () => {
    const opened = await open({});
    process.kill(await pidOf(opened), 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 20 }, () => opened.get('server')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});

test('a request under way survives the deletion of its pod', async () => {
  const opened = await open({});
  const before = await pidOf(opened);
  const slow = opened.get('server', '/slow');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const [pod] = podsOf(opened.host, 'server');
  await opened.host.delete(pods, 'default', pod?.metadata.name ?? '');
  const next = await opened.get('server');
  expect((JSON.parse(next.body) as { pid: number }).pid).not.toBe(before);
  expect(await slow).toMatchObject({ status: 200, body: `slow ${before}` });
});

test('closing the host finishes the requests that it has', async () => {
  const opened = await open({});
  const slow = Array.from({ length: 20 }, () => opened.get('server', '/slow'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await opened.host.close(5_000);
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(slow.map(() => 200));
  await expect(opened.get('server')).rejects.toThrow(/ECONNREFUSED/);
});

test('no request fails while a new revision takes over', async () => {
  const ports = [{ containerPort: ownPort() }];
  const opened = await open({ ports });
  const statuses = new Map<number, number>();
  const revisions = new Set<string>();
  let stop = false;
  const probing = Array.from({ length: 4 }, async () => {
    while (!stop) {
      const { status, body } = await opened.get('server');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) revisions.add((JSON.parse(body) as { revision: string }).revision);
    }
  });
  for (let i = 2; i <= 4; i++) {
    await opened.host.apply(
      serviceOf(
        'server',
        {
          image: 'example.com/server',
          env: [
            { name: 'START_DELAY_MS', value: '200' },
            { name: 'ROUND', value: String(i) },
          ],
        },
        {},
        { 'autoscaling.knative.dev/min-scale': '1' },
      ),
    );
    await ready(opened.host, 'server');
    // As soon as the Route says Ready, the new revision answers.
    expect((await opened.get('server')).body).toContain(`server-0000${i}`);
  }
  stop = true;
  await Promise.all(probing);
  expect([...statuses.keys()]).toEqual([200]);
  expect([...revisions].sort()).toEqual(['server-00001', 'server-00002', 'server-00003', 'server-00004']);
});
