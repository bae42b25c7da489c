// Raw sockets for tests of bad input: what goes over the wire is exactly what the test says.
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawConnection {
  readonly socket: Socket;
  write(text: string): void;
  /** All that has been received once it satisfies `enough`, or once the connection has ended. */
  until(enough: (text: string) => boolean): Promise<string>;
  /** All that has been received when the connection has ended. */
  closed(): Promise<string>;
}

export function rawConnection(socket: Socket): RawConnection {
  let text = '';
  let closed = false;
  let wake = (): void => undefined;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    wake();
  });
  const until = async (enough: (text: string) => boolean): Promise<string> => {
    while (!closed && !enough(text)) await new Promise<void>((resolve) => (wake = resolve));
    return text;
  };
  return { socket, write: (data) => void socket.write(data, 'latin1'), until, closed: () => until(() => false) };
}

/** Connects to a port of this machine; the connection ends with the test. */
export function dial(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return rawConnection(socket);
}

/** A server whose every connection is handled by hand. */
export async function rawServer(
  onConnection: (connection: RawConnection, number: number) => void | Promise<void>,
): Promise<string> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    void onConnection(rawConnection(socket), ++count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
