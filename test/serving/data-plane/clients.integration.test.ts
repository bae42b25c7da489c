// Real clients through the gateway: curl, ws, gRPC, node:http2, node:tls.
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { TlsCertificate } from '../../../src/http/index.ts';
import { selfSigned } from './certificate.ts';
import { openBackend, openFront, revision } from './setup.ts';

const curl = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('curl', ['-sS', '--max-time', '10', ...args])).stdout;
const withCurl = test.skipIf(spawnSync('curl', ['--version']).error !== undefined);

describe('curl', () => {
  withCurl('speaks HTTP/1.1, HTTP/2 with prior knowledge, and asks for HTTP/2 in vain', async () => {
    const address = await openBackend((request, response) =>
      response.end(`${request.httpVersion} ${request.headers.host ?? ''}`),
    );
    const { activator, port } = await openFront();
    activator.setInstances(revision, [{ id: 'a', target: { address } }]);
    const url = `http://127.0.0.1:${port}/`;
    const write = ['-w', ' %{http_version} %{http_code}'];
    expect(await curl(...write, '-H', 'Host: hello.example', url)).toBe('1.1 hello.example 1.1 200');
    expect(await curl(...write, '--http2-prior-knowledge', url)).toBe(`1.1 127.0.0.1:${port} 2 200`);
    expect(await curl(...write, '--http2', url)).toBe(`1.1 127.0.0.1:${port} 1.1 200`);
  });

  withCurl('uploads with an expectation and gets trailers', async () => {
    const address = await openBackend((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => (size += chunk.length));
      request.on('end', () => {
        response.writeHead(200, { trailer: 'x-size' });
        response.write('got it');
        response.addTrailers({ 'x-size': String(size) });
        response.end();
      });
    });
    const { activator, port } = await openFront();
    activator.setInstances(revision, [{ id: 'a', target: { address } }]);
    const out = await curl(
      '-iv',
      '--stderr',
      '-',
      '-H',
      'Expect: 100-continue',
      '--data-binary',
      'x'.repeat(3_000_000 / 100),
      `http://127.0.0.1:${port}/`,
    );
    expect(out).toMatch(/100 Continue/);
    expect(out).toMatch(/x-size: 30000/i);
    expect(out).toContain('got it');
  });
});

describe('WebSocket', () => {
  test('frames of all sizes go both ways, and the close code arrives', async () => {
    const echo = new WebSocketServer({ noServer: true });
    echo.on('connection', (socket) => {
      socket.on('message', (data: Buffer, binary) => {
        if (String(data) === 'bye') socket.close(4001, 'enough');
        else socket.send(data, { binary });
      });
    });
    const address = await openBackend(
      (_, response) => response.end(),
      (server) =>
        server.on('upgrade', (request, socket, head) =>
          echo.handleUpgrade(request, socket, head, (client) => echo.emit('connection', client, request)),
        ),
    );
    const { activator, port } = await openFront();
    activator.setInstances(revision, [{ id: 'a', target: { address } }], { containerConcurrency: 1 });
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat`, ['one', 'two']);
    await once(client, 'open');
    expect(activator.count(revision)).toEqual({ active: 1, waiting: 0 });
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 2_000_000]) {
      client.send(Buffer.alloc(size, size % 256));
      const [data] = (await once(client, 'message')) as [Buffer];
      expect(data.equals(Buffer.alloc(size, size % 256))).toBe(true);
    }
    client.send('bye');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4001, 'enough']);
    await expect.poll(() => activator.count(revision).active).toBe(0);
  });

  test('a backend that refuses the switch answers as usual', async () => {
    const address = await openBackend((_, response) => {
      response.writeHead(426, { 'x-why': 'no' });
      response.end('not here');
    });
    const { activator, port } = await openFront();
    activator.setInstances(revision, [{ id: 'a', target: { address } }]);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    client.on('error', () => undefined);
    const [, response] = (await once(client, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(426);
  });

  test('traffic keeps a connection beyond the idle and response-start limits, silence ends it', async () => {
    const echo = new WebSocketServer({ noServer: true });
    echo.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data)));
    const address = await openBackend(
      (_, response) => response.end(),
      (server) =>
        server.on('upgrade', (request, socket, head) =>
          echo.handleUpgrade(request, socket, head, (client) => echo.emit('connection', client, request)),
        ),
    );
    const { activator, port } = await openFront();
    activator.setInstances(revision, [{ id: 'a', target: { address } }], { timeouts: { responseStartMs: 150, idleMs: 200 } });
    const client = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(client, 'open');
    const beganMs = performance.now();
    while (performance.now() - beganMs < 600) {
      client.send('x');
      await once(client, 'message');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(client.readyState).toBe(WebSocket.OPEN);
    await once(client, 'close');
  });
});

test('server-sent events arrive one by one', async () => {
  const sent: (() => void)[] = [];
  const address = await openBackend((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    sent.push(() => response.write('data: next\n\n'));
  });
  const { activator, url } = await openFront();
  activator.setInstances(revision, [{ id: 'a', target: { address } }]);
  const response = await fetch(url);
  const reader = response.body?.getReader();
  for (let i = 0; i < 3; i++) {
    sent[0]?.();
    const piece = await reader?.read();
    expect(new TextDecoder().decode(piece?.value)).toBe('data: next\n\n');
  }
  await reader?.cancel();
  await expect.poll(() => activator.count(revision).active).toBe(0);
});

const identity = (value: Buffer): Buffer => value;
const method = (path: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});
const service = {
  unary: method('/test.Echo/Unary', false, false),
  clientStream: method('/test.Echo/ClientStream', true, false),
  serverStream: method('/test.Echo/ServerStream', false, true),
  both: method('/test.Echo/Both', true, true),
};

async function openGrpc(): Promise<InstanceType<grpc.ServiceClientConstructor>> {
  const server = new grpc.Server();
  server.addService(service, {
    unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const trailer = new grpc.Metadata();
      trailer.set('x-trailer', 'yes');
      if (String(call.request) === 'fail') done({ code: grpc.status.FAILED_PRECONDITION, details: 'not today' });
      else done(null, call.request, trailer);
    },
    clientStream: (call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const parts: Buffer[] = [];
      call.on('data', (part: Buffer) => parts.push(part));
      call.on('end', () => done(null, Buffer.concat(parts)));
    },
    serverStream: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let i = 0; i < 100; i++) call.write(Buffer.from(`${i}`));
      call.end();
    },
    both: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (part: Buffer) => call.write(part));
      call.on('end', () => call.end());
    },
  });
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  onTestFinished(() => server.forceShutdown());
  const front = await openFront();
  front.activator.setInstances(revision, [{ id: 'a', target: { address: `127.0.0.1:${port}`, protocol: 'h2c' } }]);
  const Client = grpc.makeGenericClientConstructor(service, 'Echo');
  const client = new Client(`127.0.0.1:${front.port}`, grpc.credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

type Unary = (request: Buffer, done: (error: grpc.ServiceError | null, answer?: Buffer) => void) => grpc.ClientUnaryCall;

describe('gRPC', () => {
  test('a unary call with its trailers, and one that fails with its status', async () => {
    const client = await openGrpc();
    const unary = (client['unary'] as unknown as Unary).bind(client);
    const trailers = new Promise<grpc.Metadata>((resolve) => {
      unary(Buffer.from('hello'), (error, answer) => expect([error, String(answer)]).toEqual([null, 'hello'])).on(
        'status',
        ({ metadata }) => resolve(metadata),
      );
    });
    expect((await trailers).get('x-trailer')).toEqual(['yes']);
    const error = await new Promise<grpc.ServiceError | null>((resolve) => unary(Buffer.from('fail'), resolve));
    expect([error?.code, error?.details]).toEqual([grpc.status.FAILED_PRECONDITION, 'not today']);
  });

  test('streams from the client, from the server, and both ways', async () => {
    const client = await openGrpc();
    const joined = await new Promise<string>((resolve, reject) => {
      const open = (
        client['clientStream'] as unknown as (
          done: (error: Error | null, answer?: Buffer) => void,
        ) => grpc.ClientWritableStream<Buffer>
      ).bind(client);
      const call = open((error, answer) => (error === null ? resolve(String(answer)) : reject(error)));
      for (let i = 0; i < 10; i++) call.write(Buffer.from(`${i}`));
      call.end();
    });
    expect(joined).toBe('0123456789');
    const listen = (client['serverStream'] as unknown as (request: Buffer) => grpc.ClientReadableStream<Buffer>).bind(client);
    let count = 0;
    for await (const part of listen(Buffer.from(''))) expect(String(part)).toBe(`${count++}`);
    expect(count).toBe(100);
    const both = (client['both'] as unknown as () => grpc.ClientDuplexStream<Buffer, Buffer>).bind(client)();
    for (let i = 0; i < 20; i++) {
      both.write(Buffer.from(`ping ${i}`));
      const [part] = (await once(both, 'data')) as [Buffer];
      expect(String(part)).toBe(`ping ${i}`);
    }
    both.end();
    await once(both, 'status');
  });
});

describe('TLS', () => {
  const body = async (stream: ClientHttp2Stream): Promise<string> => {
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return text;
  };

  test('a certificate per server name, replaced without a restart; HTTP/2 and HTTP/1.1 by ALPN', async () => {
    const certificates = new Map<string, TlsCertificate>([
      ['a.example', selfSigned('a.example')],
      ['b.example', selfSigned('b.example')],
    ]);
    const { activator, port } = await openFront({ server: { tls: { certificateFor: (name) => certificates.get(name) } } });
    activator.setInstances(revision, [
      {
        id: 'a',
        target: {
          handler: (exchange) =>
            exchange.respond(200, [], `${exchange.httpVersion} ${exchange.header('x-forwarded-proto') ?? ''}`),
        },
      },
    ]);
    const subject = async (servername: string): Promise<string> => {
      const socket = connectTls({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    expect([await subject('a.example'), await subject('b.example')]).toEqual(['a.example', 'b.example']);
    await expect(subject('c.example')).rejects.toThrow();
    certificates.set('a.example', selfSigned('new.example'));
    expect(await subject('a.example')).toBe('new.example');

    const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: 'b.example', rejectUnauthorized: false });
    onTestFinished(() => session.destroy());
    expect(await body(session.request({ ':path': '/' }))).toBe('2.0 https');
    const plain = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'b.example',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    plain.write('GET / HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of plain) answer += String(chunk);
    expect(answer).toMatch(/1\.1 https$/);
  });
});

test('HTTP/2 streams: many at once, a reset reaches the instance', async () => {
  const { activator, port } = await openFront();
  let aborted = 0;
  activator.setInstances(revision, [
    {
      id: 'a',
      target: {
        handler: (exchange) => {
          if (exchange.target === '/hang') exchange.signal.addEventListener('abort', () => aborted++);
          else exchange.respond(200, [], exchange.target);
        },
      },
    },
  ]);
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const stream = session.request({ ':path': `/${i}` });
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return text;
    }),
  );
  expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => `/${i}`));
  const hanging = session.request({ ':path': '/hang' });
  hanging.on('error', () => undefined);
  await expect.poll(() => activator.count(revision).active).toBe(1);
  hanging.close(8);
  await expect.poll(() => aborted).toBe(1);
  expect(activator.count(revision).active).toBe(0);
});
