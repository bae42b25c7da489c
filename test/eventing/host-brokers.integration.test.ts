import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeHttp, encodeBinary, createEvent, EventFault } from '../../src/cloudevents/index.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { createHttpClient, createHttpServer, readBody } from '../../src/http/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knative-embed-brokers-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const manifest = (subscriber: string): string => `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: orders }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: bill }
spec:
  broker: orders
  delivery: { retry: 1000, backoffPolicy: linear, backoffDelay: PT10S }
  subscriber: { uri: ${subscriber} }
`;

async function started(subscriber: string): Promise<Host> {
  const host = await createHost({ dataDir: folder });
  await host.apply(manifest(subscriber));
  await host.ready('triggers.eventing.knative.dev', 'bill');
  return host;
}

describe('the brokers of a host', () => {
  test('keep what was not delivered over a restart of the host', async () => {
    const got: string[] = [];
    await using subscriber = createHttpServer({
      async handler(exchange) {
        const event = decodeHttp(exchange.rawHeaders, await readBody(exchange));
        if (!(event instanceof EventFault)) got.push(event.id);
        exchange.respond(202, []);
      },
    });
    const first = await started('http://127.0.0.1:9/');
    const { url } = await first.listen({ port: 0 });
    await using client = createHttpClient();
    for (const id of ['1', '2', '3']) {
      const { rawHeaders, body } = encodeBinary(createEvent({ id, source: '/shop', type: 'order', data: { id } }));
      const host = ['host', 'broker-ingress.knative-eventing.localhost'];
      const request = { method: 'POST', url: `${url}/default/orders`, rawHeaders: [...rawHeaders, ...host] };
      const { status } = await client.request(body === undefined ? request : { ...request, body });
      expect(status).toBe(202);
    }
    expect(first.broker('default', 'orders')?.backlog('default/bill')).toBe(3);
    await first.close();
    expect(got).toEqual([]);

    const { url: target } = await subscriber.listen();
    await using second = await started(`${target}/`);
    await expect.poll(() => [...got].sort(), { timeout: 10_000 }).toEqual(['1', '2', '3']);
    await expect.poll(() => second.broker('default', 'orders')?.backlog('default/bill')).toBe(0);
  }, 30_000);

  test('want a token of their senders once OIDC is switched on', async () => {
    await using host = await createHost({ dataDir: folder });
    await host.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: config-features, namespace: knative-eventing }
data: { authentication-oidc: enabled }
`);
    await host.apply(manifest('http://127.0.0.1:9/'));
    await host.ready('triggers.eventing.knative.dev', 'bill');
    const { url } = await host.listen({ port: 0 });
    await using client = createHttpClient();
    const { rawHeaders, body } = encodeBinary(createEvent({ id: '1', source: '/shop', type: 'order', data: {} }));
    const send = async (authorization: readonly string[]): Promise<number> => {
      const headers = [...rawHeaders, 'host', 'broker-ingress.knative-eventing.localhost', ...authorization];
      const request = { method: 'POST', url: `${url}/default/orders`, rawHeaders: headers };
      return (await client.request(body === undefined ? request : { ...request, body })).status;
    };
    expect(await send([])).toBe(401);
    expect(await send(['authorization', 'Bearer a.b.c'])).toBe(401);
    expect(host.broker('default', 'orders')?.backlog('default/bill')).toBe(0);
  }, 30_000);
});
