// Real clients through a whole host to programs in child processes.
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { selfSigned } from '../serving/data-plane/certificate.ts';
import { nodeProgram, openWorld, ownPort, ready, serviceOf, type HostWorld } from './host-world.ts';

let world: HostWorld;

beforeAll(async () => {
  world = await openWorld(
    {
      images: {
        'example.com/server': nodeProgram('server.mjs'),
        'example.com/grpc': nodeProgram('grpc.mjs'),
        'example.com/h2c': nodeProgram('h2c.mjs'),
      },
    },
    { tls: { port: 0, certificateFor: (name) => (name === 'given.example' ? given : undefined), certificate: fallback } },
  );
  const { host } = world;
  await host.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-network', namespace: 'knative-serving' },
    data: { 'autocreate-cluster-domain-claims': 'true' },
  });
  await host.apply(serviceOf('server', { image: 'example.com/server' }));
  await host.apply(
    serviceOf('echo', {
      image: 'example.com/grpc',
      ports: [{ name: 'h2c', containerPort: ownPort() }],
      readinessProbe: { grpc: {}, periodSeconds: 1 },
    }),
  );
  await host.apply(serviceOf('h2c', { image: 'example.com/h2c', ports: [{ name: 'h2c', containerPort: ownPort() }] }));
  await Promise.all(['server', 'echo', 'h2c'].map((name) => ready(host, name)));
});
afterAll(() => world[Symbol.asyncDispose]());

const given = selfSigned('given.example');
const fallback = selfSigned('fallback.example');

const withCurl = test.skipIf(spawnSync('curl', ['--version']).error !== undefined);
const curl = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('curl', ['-sSk', '--max-time', '10', ...args])).stdout;

describe('curl', () => {
  withCurl('HTTP/1.1, HTTP/2 with prior knowledge, HTTP/2 and HTTP/1.1 over TLS', async () => {
    const { port, tls } = world.address;
    const url = `http://server.default.localhost:${port}/`;
    const write = ['-w', ' %{http_version}'];
    expect(await curl(...write, url)).toMatch(/"version":"1.1"} 1.1$/);
    expect(await curl(...write, '--http2-prior-knowledge', url)).toMatch(/"version":"1.1"} 2$/);
    const secure = `https://server.default.localhost:${tls?.port ?? 0}`;
    expect(await curl(...write, '--http2', `${secure}/`)).toMatch(/"version":"1.1"} 2$/);
    expect(await curl(...write, '--http1.1', `${secure}/`)).toMatch(/"version":"1.1"} 1.1$/);
    const headers = JSON.parse(await curl(`${secure}/headers`)) as Record<string, string>;
    expect(headers).toMatchObject({ 'x-forwarded-proto': 'https', host: `server.default.localhost:${tls?.port ?? 0}` });
    expect(headers['forwarded']).toMatch(/proto=https/);
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  });

  withCurl('server-sent events arrive while the response goes on', async () => {
    const out = await curl('-N', `http://server.default.localhost:${world.address.port}/events`);
    expect(out).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });
});

test('a port called h2c gets HTTP/2 with prior knowledge, whatever the client speaks', async () => {
  expect((await world.get('h2c')).body).toBe('2.0 /');
  const session = connectHttp2(`http://127.0.0.1:${world.address.port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/x', ':authority': 'h2c.default.localhost' });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  expect(text).toBe('2.0 /x');
});

test('server-sent events come one by one', async () => {
  const answer = await world.host.fetch('server', '/events');
  const reader = answer.body?.getReader();
  const pieces: string[] = [];
  for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read())
    pieces.push(new TextDecoder().decode(piece.value));
  expect(pieces).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
});

test('a WebSocket echoes frames of all sizes', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${world.address.port}/`, { headers: { host: 'server.default.localhost' } });
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  for (const size of [0, 125, 65_536, 1_000_000]) {
    client.send(Buffer.alloc(size, 7));
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.length).toBe(size);
  }
  client.close(1000);
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
});

test('a WebSocket over TLS', async () => {
  const options: ClientOptions & { servername: string } = {
    headers: { host: 'server.default.localhost' },
    servername: 'server.default.localhost',
    rejectUnauthorized: false,
  };
  const client = new WebSocket(`wss://127.0.0.1:${world.address.tls?.port ?? 0}/`, options);
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  client.send('hello');
  const [data] = (await once(client, 'message')) as [Buffer];
  expect(String(data)).toBe('hello');
});

describe('gRPC', () => {
  const identity = (value: Buffer): Buffer => value;
  const open = (address: string, credentials: grpc.ChannelCredentials): grpc.Client => {
    const client = new grpc.Client(address, credentials, {
      'grpc.default_authority': 'echo.default.localhost',
      'grpc.ssl_target_name_override': 'given.example',
    });
    onTestFinished(() => client.close());
    return client;
  };
  const unary = (client: grpc.Client, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest('/test.Echo/Unary', identity, identity, Buffer.from(text), (error, answer) =>
        error === null ? resolve(String(answer)) : reject(error),
      );
    });

  test('calls, failures and streams both ways; ready by its own health service', async () => {
    const client = open(`127.0.0.1:${world.address.port}`, grpc.credentials.createInsecure());
    expect(await unary(client, 'hello')).toBe('hello by echo-00001');
    await expect(unary(client, 'fail')).rejects.toMatchObject({ code: 9, details: 'not today' });
    const call = client.makeBidiStreamRequest('/test.Echo/Both', identity, identity);
    for (let i = 0; i < 20; i++) {
      call.write(Buffer.from(`ping ${i}`));
      const [part] = (await once(call, 'data')) as [Buffer];
      expect(String(part)).toBe(`ping ${i}`);
    }
    call.end();
    const [status] = (await once(call, 'status')) as [grpc.StatusObject];
    expect(status.code).toBe(0);
  });

  test('over TLS', async () => {
    const roots = grpc.credentials.createSsl(Buffer.from(given.cert));
    const client = open(`127.0.0.1:${world.address.tls?.port ?? 0}`, roots);
    expect(await unary(client, 'secret')).toBe('secret by echo-00001');
  });
});

describe('certificates', () => {
  const subject = async (servername: string): Promise<string> => {
    const socket = connectTls({ port: world.address.tls?.port ?? 0, host: '127.0.0.1', servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };
  const secret = (name: string): object => {
    const { cert, key } = selfSigned(name);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-tls', namespace: 'default' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': cert, 'tls.key': key },
    };
  };

  test('of the options, of the Secret that a DomainMapping names, and the one for all others', async () => {
    const { host } = world;
    await host.apply(secret('shop.example'));
    await host.apply({
      apiVersion: 'serving.knative.dev/v1beta1',
      kind: 'DomainMapping',
      metadata: { name: 'shop.example' },
      spec: { ref: { kind: 'Service', name: 'server', apiVersion: 'serving.knative.dev/v1' }, tls: { secretName: 'shop-tls' } },
    });
    await host.ready('domainmappings.serving.knative.dev', 'shop.example');
    expect(await subject('given.example')).toBe('given.example');
    expect(await subject('shop.example')).toBe('shop.example');
    expect(await subject('other.example')).toBe('fallback.example');
    // A renewed certificate needs no restart.
    await host.apply(secret('renewed.example'));
    expect(await subject('shop.example')).toBe('renewed.example');
  });

  withCurl('a mapped domain answers over HTTPS', async () => {
    const port = world.address.tls?.port ?? 0;
    const out = await curl('--resolve', `shop.example:${port}:127.0.0.1`, `https://shop.example:${port}/`);
    expect(out).toMatch(/"revision":"server-00001"/);
  });

  test('a Service may insist on HTTPS: the redirect names the HTTPS port', async () => {
    const { host, address } = world;
    await host.apply({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'secure', annotations: { 'networking.knative.dev/http-protocol': 'Redirected' } },
      spec: { template: { spec: { containers: [{ image: 'example.com/server', ports: [{ containerPort: ownPort() }] }] } } },
    });
    await ready(host, 'secure');
    const answer = await world.get('secure', '/path?a=b');
    expect([answer.status, answer.headers['location']]).toEqual([
      301,
      `https://secure.default.localhost:${address.tls?.port ?? 0}/path?a=b`,
    ]);
  });
});
