// What idle WebSockets cost: memory of each, and CPU per request beside them. And the latency that the gateway adds at half load.
// `node bench/gateway-idle.bench.ts [WebSockets]`; needs twice as many file descriptors.
import { connect } from 'node:net';
import { startNode } from './peers/child.ts';
import { load } from './peers/load.ts';

const wanted = Number(process.argv[2] ?? 9_000);
const get = 'GET / HTTP/1.1\r\nHost: hello-0.default.example.com\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n';
const upgrade =
  'GET / HTTP/1.1\r\nHost: hello-0.default.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const backend = await startNode('backend.ts');
const gateway = await startNode('proxy.ts', 'gateway-open', String(backend.port));
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function cpuPerRequest(): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < 7; i++) {
    const before = gateway.cpuUs();
    const { requests } = await load({ port: gateway.port, connections: 64, request: get, durationMs: 700 });
    samples.push((gateway.cpuUs() - before) / requests);
  }
  return median(samples);
}

function openOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', reject);
    socket.once('data', (chunk) => (chunk.includes(' 101 ') ? resolve() : reject(new Error(String(chunk).split('\r\n')[0]))));
    socket.write(upgrade);
  });
}

await load({ port: gateway.port, connections: 64, request: get, durationMs: 1_500 });
const direct: number[] = [];
const through: number[] = [];
for (let i = 0; i < 3; i++) {
  direct.push(await p99(backend.port));
  through.push(await p99(gateway.port));
}
async function p99(port: number): Promise<number> {
  const { latenciesMs } = await load({ port, connections: 64, request: get, durationMs: 1_500, rate: 8_000 });
  return latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? NaN;
}

const before = await cpuPerRequest();
const rssBefore = gateway.rssBytes();
for (let opened = 0; opened < wanted; opened += 100) await Promise.all(Array.from({ length: 100 }, openOne));
const rssAfter = gateway.rssBytes();
const after = await cpuPerRequest();

console.log(`\n| figure | value |\n| --- | --- |`);
console.log(`| CPU per GET without idle WebSockets | ${before.toFixed(1)} µs |`);
console.log(
  `| CPU per GET beside ${wanted} idle WebSockets | ${after.toFixed(1)} µs, ${((after / before - 1) * 100).toFixed(0)} % more |`,
);
console.log(`| memory of an idle WebSocket (both sockets) | ${((rssAfter - rssBefore) / wanted / 1024).toFixed(1)} KiB |`);
console.log(`| p99 at 8,000 requests/s, backend direct | ${median(direct).toFixed(2)} ms |`);
console.log(`| p99 at 8,000 requests/s, through the gateway | ${median(through).toFixed(2)} ms |`);
process.exit(0);
