// One server of the functions benchmark, in a process of its own: `node bench/functions.server.ts VARIANT`. Reports its port, and on
// request its CPU time and memory.
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const require = createRequire(import.meta.url);
const http = process.getBuiltinModule('node:http');
const text = 'Hello, world';

/** A hand-written front: headers or JSON into an event object, required attributes checked, nothing else. */
class HandEvent {
  specversion = '';
  id = '';
  source = '';
  type = '';
  subject: string | undefined = undefined;
  time: string | undefined = undefined;
  extensions: string[] = [];
  body: Buffer | undefined = undefined;
  data: unknown = undefined;
}

function handBinary(rawHeaders: readonly string[], body: Buffer): HandEvent {
  const event = new HandEvent();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!name.startsWith('ce-')) continue;
    const value = rawHeaders[i + 1] ?? '';
    if (name === 'ce-id') event.id = value;
    else if (name === 'ce-source') event.source = value;
    else if (name === 'ce-type') event.type = value;
    else if (name === 'ce-specversion') event.specversion = value;
    else if (name === 'ce-subject') event.subject = value;
    else if (name === 'ce-time') event.time = value;
    else event.extensions.push(name.slice(3), value);
  }
  event.body = body;
  return event;
}

function handFront(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    const event =
      request.headers['content-type'] === 'application/cloudevents+json'
        ? Object.assign(new HandEvent(), JSON.parse(body.toString()) as object)
        : handBinary(request.rawHeaders, body);
    const valid = event.specversion === '1.0' && event.id !== '' && event.source !== '' && event.type !== '';
    response.writeHead(valid && event.type === 'com.example.order' ? 204 : 400);
    response.end();
  });
}

async function start(variant: string): Promise<Server | { port: number }> {
  switch (variant) {
    case 'node':
      return http.createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 12 });
        response.end(text);
      });
    case 'hand':
      return http.createServer(handFront);
    case 'ours-http': {
      const { defineFunction, serve } = await import('../src/functions/index.ts');
      return serve(
        defineFunction(() => text),
        { port: 0, host: '127.0.0.1' },
      );
    }
    case 'ours-event': {
      const { defineFunction, serve } = await import('../src/functions/index.ts');
      return serve(
        defineFunction.event((_context, event) => checkType(event)),
        { port: 0, host: '127.0.0.1' },
      );
    }
    case 'ours-faas-http':
    case 'ours-faas-event': {
      const { start: startFaas } = await import('../src/functions/faas.ts');
      return startFaas(variant.endsWith('http') ? () => text : (_context, event) => checkType(event), { port: 0 });
    }
    case 'ours-framework-http':
    case 'ours-framework-event': {
      const { getServer } = await import('../src/functions/framework.ts');
      return variant.endsWith('http')
        ? getServer((_request: never, response: { send(value: string): void }) => response.send(text))
        : getServer((event: never) => checkType(event), { signatureType: 'cloudevent' });
    }
    case 'faas-http':
    case 'faas-event': {
      const faas = require('faas-js-runtime') as { start(fn: unknown, options: object): Promise<Server> };
      return faas.start(variant.endsWith('http') ? () => text : (_context: unknown, event: never) => checkType(event), {
        port: 20_000 + (process.pid % 20_000),
        logLevel: 'silent',
      });
    }
    case 'framework-http':
    case 'framework-event': {
      const testing = require('@google-cloud/functions-framework/testing') as { getTestServer(name: string): Server };
      const framework = require('@google-cloud/functions-framework') as {
        http(name: string, fn: unknown): void;
        cloudEvent(name: string, fn: unknown): void;
      };
      if (variant.endsWith('http'))
        framework.http('bench', (_request: unknown, response: { send(value: string): void }) => response.send(text));
      else framework.cloudEvent('bench', (event: never) => checkType(event));
      return testing.getTestServer('bench');
    }
    default:
      throw new Error(`no variant ${variant}`);
  }
}

function checkType(event: { readonly type: string } | undefined): undefined {
  if (event?.type !== 'com.example.order') throw new Error('wrong type');
  return undefined;
}

const started = await start(process.argv[2] ?? '');
if ('listening' in started && !started.listening) await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
const port = 'listening' in started ? (started.address() as AddressInfo).port : started.port;
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
