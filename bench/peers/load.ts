// A load of keep-alive connections, each with one request under way. Cheap: the answers have a known length.
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly request: string;
  readonly durationMs: number;
  /** Requests per second over all connections; default: as many as answers allow. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Latencies of a sample of the requests, milliseconds, sorted. */
  readonly latenciesMs: readonly number[];
}

export async function load({ port, connections, request, durationMs, rate }: LoadOptions): Promise<LoadResult> {
  const intervalMs = rate === undefined ? 0 : (connections * 1000) / rate;
  const bytes = Buffer.from(request, 'latin1');
  const latenciesMs: number[] = [];
  const untilMs = performance.now() + durationMs;
  let requests = 0;
  await Promise.all(Array.from({ length: connections }, () => run()));
  return { requests, latenciesMs: latenciesMs.sort((a, b) => a - b) };

  function run(): Promise<void> {
    return new Promise((resolve, reject) => {
      let wanted = 0;
      let received = 0;
      let sentMs = 0;
      const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const send = (): void => {
        sentMs = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        if (wanted === 0) {
          // Every answer of a run looks alike: the first one tells its length.
          const end = chunk.indexOf('\r\n\r\n');
          const head = chunk.toString('latin1', 0, end);
          if (!head.startsWith('HTTP/1.1 20')) return void reject(new Error(head.split('\r\n')[0] ?? 'no answer'));
          wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        }
        received += chunk.length;
        if (received < wanted) return;
        received = 0;
        const nowMs = performance.now();
        if (++requests % 16 === 0 || rate !== undefined) latenciesMs.push(nowMs - sentMs);
        if (nowMs < untilMs) {
          if (intervalMs === 0) send();
          else setTimeout(send, Math.max(0, intervalMs * (0.5 + Math.random()) - (nowMs - sentMs)));
        } else {
          socket.destroy();
          resolve();
        }
      });
    });
  }
}
