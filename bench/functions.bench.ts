// CPU time per request of functions over HTTP: ours against bare node:http, a hand-written CloudEvents front, faas-js-runtime and
// functions-framework. 64 keep-alive connections, variants interleaved in every round, medians.
import { fork, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';

const rounds = Number(process.argv[2] ?? 3);
const requestsPerRound = Number(process.argv[3] ?? 12_000);
const only = process.argv[4]?.split(',');
const connections = 64;

const data = JSON.stringify({
  order: 'o-1234567',
  customer: 'c-42',
  total: 129.5,
  lines: Array.from({ length: 6 }, (_, i) => ({ sku: `s-${i}`, quantity: i + 1 })),
  pad: '',
});
const body = data.padEnd(256, ' ').slice(0, 256);
const attributes = {
  specversion: '1.0',
  id: 'b-1',
  source: '/orders',
  type: 'com.example.order',
  subject: 'o-1',
  time: '2026-03-01T10:00:00Z',
};
const structured = JSON.stringify({ ...attributes, datacontenttype: 'application/json', data: JSON.parse(body) as unknown });

const requests = {
  get: 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n',
  binary: `POST / HTTP/1.1\r\nhost: localhost\r\n${Object.entries(attributes)
    .map(([name, value]) => `ce-${name}: ${value}\r\n`)
    .join('')}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  structured: `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cloudevents+json\r\ncontent-length: ${structured.length}\r\n\r\n${structured}`,
} as const;

interface Row {
  readonly title: string;
  readonly request: keyof typeof requests;
  readonly baseline: string;
  readonly variants: readonly string[];
}

const rows: readonly Row[] = [
  {
    title: 'HTTP function, GET, 12 bytes',
    request: 'get',
    baseline: 'node',
    variants: ['node', 'ours-http', 'ours-faas-http', 'faas-http', 'ours-framework-http', 'framework-http'],
  },
  {
    title: 'CloudEvent function, binary, 256 B JSON',
    request: 'binary',
    baseline: 'hand',
    variants: ['hand', 'ours-event', 'ours-faas-event', 'faas-event', 'ours-framework-event', 'framework-event'],
  },
  {
    title: 'CloudEvent function, structured, 256 B JSON',
    request: 'structured',
    baseline: 'hand',
    variants: ['hand', 'ours-event', 'ours-faas-event', 'faas-event', 'ours-framework-event', 'framework-event'],
  },
];

class ServerUnderTest {
  readonly child: ChildProcess;
  readonly port: number;
  constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }
  usage(): Promise<{ cpu: { user: number; system: number }; rss: number }> {
    return new Promise((resolve) => {
      this.child.once('message', (message) => resolve(message as never));
      this.child.send('usage');
    });
  }
}

function spawn(variant: string): Promise<ServerUnderTest> {
  const child = fork(new URL('functions.server.ts', import.meta.url), [variant], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(new ServerUnderTest(child, (message as { port: number }).port)));
    child.once('exit', (code) => reject(new Error(`${variant} ended with ${code}`)));
  });
}

// Every connection sends its next request when the answer to the last one is complete.
function load(port: number, request: string, count: number): Promise<void> {
  let left = count;
  let answered = 0;
  const sockets: Socket[] = [];
  return new Promise((resolve, reject) => {
    for (let i = 0; i < connections; i++) {
      const socket = connect(port, '127.0.0.1');
      let buffered = '';
      sockets.push(socket);
      socket.setEncoding('latin1');
      socket.setNoDelay(true);
      const send = (): void => {
        if (left-- > 0) socket.write(request);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (chunk: string) => {
        buffered += chunk;
        const end = answerEnd(buffered);
        if (end < 0) return;
        const status = buffered.slice(9, 12);
        if (status !== '200' && status !== '204') reject(new Error(`answered ${buffered.slice(0, 300)}`));
        buffered = buffered.slice(end);
        if (++answered === count) {
          for (const open of sockets) open.destroy();
          resolve();
        } else send();
      });
    }
  });
}

function answerEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return -1;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head));
  const end = head + 4 + Number(length?.[1] ?? 0);
  return text.length >= end ? end : -1;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

for (const { variants, ...row } of rows) {
  const wanted = variants.filter((variant) => only === undefined || only.includes(variant) || variant === row.baseline);
  if (wanted.length < 2) continue;
  const servers = new Map<string, ServerUnderTest>();
  for (const variant of wanted) servers.set(variant, await spawn(variant));
  const samples = new Map<string, number[]>(wanted.map((variant) => [variant, []]));
  const memory = new Map<string, number>();
  for (const server of servers.values()) await load(server.port, requests[row.request], 6_000);
  for (let round = 0; round < rounds; round++) {
    for (const [variant, server] of servers) {
      const before = await server.usage();
      await load(server.port, requests[row.request], requestsPerRound);
      const after = await server.usage();
      samples.get(variant)?.push((after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / requestsPerRound);
      memory.set(variant, after.rss);
    }
  }
  const baseline = median(samples.get(row.baseline) ?? []);
  console.log(`\n${row.title}\n`);
  console.log('| server | CPU µs/request | ÷ baseline | RSS MiB |\n|---|---|---|---|');
  for (const [variant, values] of samples) {
    const cost = median(values);
    console.log(
      `| ${variant} | ${cost.toFixed(1)} | ${(cost / baseline).toFixed(2)} | ${((memory.get(variant) ?? 0) / 2 ** 20).toFixed(0)} |`,
    );
  }
  for (const server of servers.values()) server.child.removeAllListeners('exit').kill();
}
