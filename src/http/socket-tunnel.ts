import type { Duplex } from 'node:stream';
import type { BodyFlow, BodySink, Tunnel } from './exchange.ts';

/** A `Tunnel` over a socket or an HTTP/2 stream. `firstBytes` were read along with the head and come first. */
export class SocketTunnel implements Tunnel {
  readonly #socket: Duplex;
  readonly #firstBytes: Uint8Array | undefined;

  constructor(socket: Duplex, firstBytes?: Uint8Array) {
    this.#socket = socket;
    this.#firstBytes = firstBytes;
    socket.on('error', () => undefined);
  }

  receive(sink: BodySink): BodyFlow {
    const socket = this.#socket;
    let ended = false;
    if (this.#firstBytes !== undefined && this.#firstBytes.byteLength > 0) socket.unshift(this.#firstBytes);
    socket.on('data', (chunk: Uint8Array) => {
      if (!ended && sink.data(chunk) === false) socket.pause();
    });
    socket.on('end', () => {
      if (!ended) {
        ended = true;
        sink.end();
      }
    });
    const fail = (error?: Error): void => {
      if (!ended) {
        ended = true;
        sink.error(error ?? new Error('the connection was cut'));
      }
    };
    socket.on('error', fail);
    socket.on('close', () => fail());
    return socket;
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded ? true : this.#socket.write(chunk);
  }

  onDrain(resume: () => void): void {
    if (this.#socket.destroyed) queueMicrotask(resume);
    else this.#socket.once('drain', resume);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }
}
