// The activator alone, on an exchange that costs nothing: a request straight through, and 10,000 requests that wait for the first
// instance and are then released.
import { createRandom } from '../src/random.ts';
import type { Exchange } from '../src/http/index.ts';
import { createActivator } from '../src/serving/data-plane/index.ts';
import { createRegistry } from '../src/telemetry/index.ts';
import { printTable, cpuNsPerOp } from './data-plane.measure.ts';

const rawHeaders = [
  'Host',
  'hello.default.example.com',
  'User-Agent',
  'bench/1',
  'Accept',
  '*/*',
  'Accept-Encoding',
  'gzip',
  'Forwarded',
  'for=a',
];

class NullExchange implements Exchange {
  readonly method = 'GET';
  readonly target = '/';
  readonly host = 'hello.default.example.com';
  readonly scheme = 'http';
  readonly httpVersion = '1.1';
  readonly rawHeaders = rawHeaders;
  readonly remoteAddress = '';
  readonly hasBody = false;
  headSent = false;
  #finished: ((error: Error | undefined) => void) | undefined;
  get signal(): AbortSignal {
    return new AbortController().signal;
  }
  header(): undefined {
    return undefined;
  }
  receive(): { pause(): void; resume(): void } {
    return { pause: () => undefined, resume: () => undefined };
  }
  writeInformational(): void {}
  writeHead(): void {}
  write(): boolean {
    return true;
  }
  onDrain(): void {}
  end(): void {}
  respond(): void {
    this.headSent = true;
    this.#finished?.(undefined);
  }
  destroy(): void {}
  onFinished(listener: (error: Error | undefined) => void): void {
    this.#finished = listener;
  }
}

const answer = (exchange: Exchange): void => exchange.respond(200, []);
const rows: [string, number, number][] = [];
for (const [containerConcurrency, meter] of [
  [0, undefined],
  [1, undefined],
  [10, undefined],
  [10, createRegistry()],
] as const) {
  const activator = createActivator({ random: createRandom(1), ...(meter === undefined ? {} : { meter }) });
  activator.setInstances('default/hello', [{ id: 'a', target: { handler: answer } }], { containerConcurrency });
  rows.push([
    `a request through, containerConcurrency ${containerConcurrency}${meter === undefined ? '' : ', measured'}`,
    cpuNsPerOp(300_000, (count) => {
      for (let i = 0; i < count; i++) activator.handle('default/hello', new NullExchange());
    }),
    NaN,
  ]);
}
rows.push([
  'a request that waited among 10,000 and was released',
  cpuNsPerOp(100_000, (count) => {
    for (let done = 0; done < count; done += 10_000) {
      const activator = createActivator({ random: createRandom(1) });
      activator.setRevision('default/hello', { containerConcurrency: 1 });
      for (let i = 0; i < 10_000; i++) activator.handle('default/hello', new NullExchange());
      activator.setInstances('default/hello', [{ id: 'a', target: { handler: answer } }]);
      if (activator.count('default/hello').waiting !== 0) throw new Error('requests are left');
    }
  }),
  NaN,
]);
printTable('Activator', rows);
