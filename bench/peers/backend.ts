// A backend that costs next to nothing: answers every request on a raw socket. Prints its port.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const size = Number(process.argv[2] ?? 12);
const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);

const server = createServer((socket) => {
  let missing = 0;
  let switched = false;
  socket.on('data', (chunk) => {
    if (switched) return;
    if (missing === 0 && chunk.includes('Upgrade: websocket')) {
      switched = true;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      return;
    }
    // Requests come one at a time and carry a Content-Length when they have a body.
    if (missing > 0) {
      missing -= chunk.length;
      if (missing <= 0) socket.write(answer);
      return;
    }
    const end = chunk.indexOf('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(chunk.toString('latin1', 0, end))?.[1];
    missing = length === undefined ? 0 : Number(length) - (chunk.length - end - 4);
    if (missing <= 0) socket.write(answer);
  });
  socket.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
