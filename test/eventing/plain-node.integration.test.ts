import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createEvent, decodeHttp, encodeBinary, EventFault } from '../../src/cloudevents/index.ts';
import { createBroker } from '../../src/eventing/index.ts';
import { KnativeError } from '../../src/errors.ts';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('a broker in a plain node:http program, without host and without our server', async () => {
  await using broker = await createBroker();
  const got: unknown[] = [];
  const inbox = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      got.push(request.headers['ce-type'], JSON.parse(body.toString()));
      response.writeHead(204).end();
    });
  });
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const event = decodeHttp(request.rawHeaders, body, { as: 'upstream' });
      if (event instanceof EventFault) return response.writeHead(400).end(event.message);
      try {
        await broker.publish(event, { rawHeaders: request.rawHeaders });
        return response.writeHead(202).end();
      } catch (error) {
        return response.writeHead((KnativeError.is(error) ? error.status : undefined) ?? 500).end();
      }
    });
  });
  const listen = (of: typeof server): Promise<string> =>
    new Promise((resolve) => of.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(of.address() as AddressInfo).port}/`)));
  try {
    broker.addTrigger('inbox', { subscriber: await listen(inbox), delivery: { timeout: 'PT5S' } });
    const { rawHeaders, body } = encodeBinary(createEvent({ type: 'order', source: '/shop', data: { n: 1 } }));
    const headers = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as [string, string]] : [],
    );
    const url = await listen(server);
    const post = (extra: RequestInit): Promise<Response> => fetch(url, { method: 'POST', ...extra });
    expect((await post({ headers, body: Buffer.from(body ?? []) })).status).toBe(202);
    expect((await post({ body: '{}' })).status).toBe(400);
    await expect.poll(() => got).toEqual(['order', { n: 1 }]);
    await expect.poll(() => broker.backlog('inbox')).toBe(0);
  } finally {
    server.close();
    inbox.close();
    server.closeAllConnections();
    inbox.closeAllConnections();
  }
});
