import { defineFunction } from './define-function.ts';
import { serve } from './serve.ts';

/**
 * Serves one request of a function that does nothing, over a socket, so that all code of a first request is compiled before the
 * first request: it makes a spare worker's start several times faster. Never fails; a machine without sockets only starts slower.
 */
export async function rehearse(): Promise<void> {
  const rehearsal = defineFunction((_context, body) => ({ body }));
  try {
    await import('data:text/javascript,export const handle = () => undefined');
    const server = await serve(rehearsal, { env: {}, host: '127.0.0.1', port: 0, graceMs: 0 });
    await request(server.port);
    await server.close();
  } catch {
    // Only time is lost.
  }
}

function request(port: number): Promise<void> {
  const body = '{"a":1}';
  const text = `POST / HTTP/1.1\r\nhost: rehearsal\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  const socket = process.getBuiltinModule('node:net').connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(text);
  });
}
