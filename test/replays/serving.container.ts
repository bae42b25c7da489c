// The program behind the recorded data-plane cases: the paths of README.md "dataplane.json", as a handler of this package.
import { sleep, type Clock } from '../../src/clock.ts';
import { readBody, type Exchange, type Handler } from '../../src/http/index.ts';

/** What reached the container, as the recordings have it. */
export interface SeenRequest {
  readonly contentLength: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly host: string;
  readonly method: string;
  readonly proto: string;
  readonly uri: string;
}

export interface Container {
  readonly handler: Handler;
  readonly seen: SeenRequest[];
  mostAtOnce: number;
}

const text = ['Content-Type', 'text/plain; charset=utf-8'];
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const notSeen = new Set(['Host', 'Connection', 'Transfer-Encoding']);

export function createContainer(clock: Clock): Container {
  let running = 0;
  const container: Container = {
    seen: [],
    mostAtOnce: 0,
    handler: async (exchange) => {
      container.seen.push(describe(exchange));
      container.mostAtOnce = Math.max(container.mostAtOnce, ++running);
      try {
        await answer(exchange, clock);
      } finally {
        running--;
      }
    },
  };
  return container;
}

export function canonicalHeaders(rawHeaders: readonly string[], without: ReadonlySet<string>): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
    if (!without.has(name) && !name.startsWith(':')) (headers[name] ??= []).push(rawHeaders[i + 1] ?? '');
  }
  return headers;
}

function describe(exchange: Exchange): SeenRequest {
  const length = exchange.header('content-length');
  return {
    contentLength: length !== undefined ? Number(length) : exchange.hasBody ? -1 : 0,
    headers: canonicalHeaders(exchange.rawHeaders, notSeen),
    host: exchange.host,
    method: exchange.method,
    proto: `HTTP/${exchange.httpVersion}`,
    uri: exchange.target,
  };
}

async function answer(exchange: Exchange, clock: Clock): Promise<void> {
  const [path = '', a = '', b = ''] = exchange.target.split('?')[0]?.split('/').slice(1) ?? [];
  const wait = (durationMs: number): Promise<void> => sleep(clock, durationMs, exchange.signal).catch(() => undefined);
  switch (path) {
    case 'sleep':
      await wait(Number(a));
      exchange.respond(200, text, 'ok');
      return;
    case 'partial':
    case 'clpartial':
      exchange.writeHead(200, path === 'partial' ? text : [...text, 'Content-Length', '20']);
      exchange.write(bytes('part1\n'));
      await wait(Number(a));
      if (exchange.signal.aborted) return;
      exchange.end('part2\n');
      return;
    case 'drip':
      exchange.writeHead(200, text);
      for (let i = 0; i < Number(a) && !exchange.signal.aborted; i++) {
        exchange.write(bytes(`d${i}\n`));
        await wait(Number(b));
      }
      exchange.end();
      return;
    case 'status':
      exchange.respond(Number(a), ['X-Backend', 'yes'], '');
      return;
    case 'echo':
      exchange.respond(200, text, await readBody(exchange));
      return;
    case 'headers':
      exchange.respond(200, [...text, 'Server', 'backend', 'X-One', '1', 'X-Two', 'a', 'X-Two', 'b'], 'h');
      return;
    case 'trailers':
      exchange.writeHead(200, [...text, 'Trailer', 'X-Trail']);
      exchange.write(bytes('t'));
      exchange.end(undefined, ['X-Trail', 'tv']);
      return;
    case 'abort':
      exchange.destroy();
      return;
    case 'ws':
      echoFrames(exchange);
      return;
    default:
      exchange.respond(200, text, 'ok');
  }
}

/** A WebSocket that answers each text frame with `echo:` before its text; frames of the test client come whole. */
function echoFrames(exchange: Exchange): void {
  const tunnel = exchange.acceptUpgrade?.(['Connection', 'Upgrade', 'Upgrade', 'websocket']);
  tunnel?.receive({
    data(chunk) {
      const mask = chunk.subarray(2, 6);
      const payload = chunk.subarray(6).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      const echo = bytes(`echo:${new TextDecoder().decode(payload)}`);
      tunnel.write(Uint8Array.from([0x81, echo.length, ...echo]));
    },
    end: () => tunnel.end(),
    error: () => undefined,
  });
}
