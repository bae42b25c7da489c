import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { expect, test } from 'vitest';
import { networkProbe } from '../../src/host/runtimes/prober.ts';
import { createSocketProber } from '../../src/host/runtimes/socket-prober.ts';

async function probed(server: Server, detectHttp2: boolean, asker: 'queue-proxy' | 'kubelet' = 'queue-proxy'): Promise<boolean> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const spec = { httpGet: { path: '/up', httpHeaders: [{ name: 'X-Shop', value: 'open' }] }, detectHttp2 };
    const request = networkProbe(spec, asker, { target: { address, accepting: false }, ports: [] });
    if (request === undefined) throw new Error('the probe has no place');
    return (await createSocketProber().probe(request, AbortSignal.timeout(5_000))).ok;
  } finally {
    server.close();
  }
}

function http2Server(seen: (string | undefined)[]): Server {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    seen.push(headers['x-shop']?.toString());
    stream.respond({ ':status': 204 }, { endStream: true });
  });
  return server as unknown as Server;
}

test('a program that speaks HTTP/2 is tried without and then probed with the headers of its probe', async () => {
  const seen: (string | undefined)[] = [];
  expect(await probed(http2Server(seen), true)).toBe(true);
  expect(seen).toEqual([undefined, 'open']);
});

test('a program that speaks HTTP/1.1 answers the second trial, and that is its probe', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.httpVersion} ${String(request.headers['x-shop'])}`);
    response.end();
  });
  expect(await probed(server, true)).toBe(true);
  expect(seen).toEqual(['1.1 undefined']);
});

test('without detection, and for a kubelet, HTTP/1.1 is spoken', async () => {
  expect(await probed(http2Server([]), false)).toBe(false);
  expect(await probed(http2Server([]), true, 'kubelet')).toBe(false);
});
