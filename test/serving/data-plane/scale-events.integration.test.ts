// No request is lost while instances come, go and crash.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createHttpClient } from '../../../src/http/index.ts';
import { createRandom } from '../../../src/random.ts';
import type { Instance } from '../../../src/serving/data-plane/index.ts';
import { openFront, revision } from './setup.ts';

const requests = 10_000;
const scaleEvents = 50;
const crashes = 20;

interface Live {
  readonly instance: Instance;
  readonly server: Server;
}

test(`${requests} requests across ${scaleEvents} scale events and ${crashes} crashes`, async () => {
  const random = createRandom(8);
  const { activator, url } = await openFront();
  const delivered = new Map<string, number>();
  const live: Live[] = [];
  let count = 0;
  let inFlightAtCrash = 0;

  const start = async (): Promise<void> => {
    const server = createServer((request, response) => {
      const id = String(request.headers['x-id']);
      delivered.set(id, (delivered.get(id) ?? 0) + 1);
      request.resume();
      request.on('end', () => setImmediate(() => response.end(id)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    live.push({ instance: { id: `pod-${++count}`, target: { address } }, server });
  };
  const publish = (): void =>
    activator.setInstances(
      revision,
      live.map(({ instance }) => instance),
      { containerConcurrency: 10 },
    );
  const stop = async (): Promise<void> => {
    // The scale-down takes whom the activator names first, and waits until it is idle.
    const victim = activator.load(revision)[0]?.id ?? '';
    const at = live.findIndex(({ instance }) => instance.id === victim);
    const [gone] = live.splice(at, 1);
    await activator.drain(revision, victim);
    publish();
    gone?.server.close();
    gone?.server.closeIdleConnections();
  };
  const crash = async (): Promise<void> => {
    const at = Math.floor(random() * live.length);
    const [dead] = live.splice(at, 1);
    inFlightAtCrash += activator.load(revision).find(({ id }) => id === dead?.instance.id)?.inFlight ?? 0;
    dead?.server.close();
    dead?.server.closeAllConnections();
    // The host notices a little later, and a new instance takes its place.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await start();
    publish();
  };

  await start();
  await start();
  publish();
  const client = createHttpClient({ connectionsMax: 64 });
  const statuses = { get: new Map<string, number>(), post: new Map<string, number>() };
  let sent = 0;
  let wrong = 0;
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      const id = String(sent++);
      const post = sent % 4 === 0;
      const response = await client.request({
        method: post ? 'POST' : 'GET',
        url,
        rawHeaders: ['x-id', id],
        ...(post ? { body: 'x' } : {}),
      });
      const text = await response.text();
      if (response.status === 200 && text !== id) wrong++;
      const kind = post ? statuses.post : statuses.get;
      const key = `${response.status}${response.status === 200 ? '' : ` ${text.trim()}`}`;
      kind.set(key, (kind.get(key) ?? 0) + 1);
    }
  };
  const chaos = async (): Promise<void> => {
    const events = [...Array<'scale' | 'crash'>(scaleEvents).fill('scale'), ...Array<'scale' | 'crash'>(crashes).fill('crash')];
    events.sort(() => random() - 0.5);
    for (const [i, event] of events.entries()) {
      while (sent < ((i + 1) * requests) / (events.length + 2)) await new Promise((resolve) => setImmediate(resolve));
      if (event === 'crash') await crash();
      else if (live.length < 2 || (live.length < 6 && random() < 0.5)) {
        await start();
        publish();
      } else await stop();
    }
  };
  await Promise.all([chaos(), ...Array.from({ length: 64 }, worker)]);
  await client.close();
  for (const { server } of live) {
    server.close();
    server.closeAllConnections();
  }

  const total = [...statuses.get.values(), ...statuses.post.values()].reduce((sum, n) => sum + n, 0);
  const failedPosts = statuses.post.get('502 EOF') ?? 0;
  console.log(
    `${total} answers: GET ${JSON.stringify(Object.fromEntries(statuses.get))}, POST ${JSON.stringify(Object.fromEntries(statuses.post))}; ${inFlightAtCrash} requests were in crashing instances`,
  );
  expect(total).toBe(requests);
  expect(wrong).toBe(0);
  expect([...statuses.get.keys()]).toEqual(['200']);
  // A POST that was inside a crashing instance is answered 502 with the reason, and never sent again.
  expect([...statuses.post.keys()].filter((status) => status !== '200' && status !== '502 EOF')).toEqual([]);
  expect(failedPosts).toBeLessThanOrEqual(inFlightAtCrash + crashes);
  const twice = [...delivered].filter(([id, times]) => times > 1 && (Number(id) + 1) % 4 === 0);
  expect(twice).toEqual([]);
  expect(activator.count(revision)).toEqual({ active: 0, waiting: 0 });
});
