// What idle WebSockets cost: memory of each, and CPU per request beside them. And the latency that the gateway adds at half load.
// `node bench/gateway-idle.bench.ts [WebSockets]`. A process may often have 20,000 file descriptors and a passed-on WebSocket takes two of
// the gateway's, so one in twenty ends at a function in the gateway's process and takes one.
import { connect } from 'node:net';
import { startNode, type Peer } from './peers/child.ts';
import { load } from './peers/load.ts';

const wanted = Number(process.argv[2] ?? 10_000);
const get = 'GET / HTTP/1.1\r\nHost: hello-0.default.example.com\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n';
const upgrade = (host: number): string =>
  `GET / HTTP/1.1\r\nHost: hello-${host}.default.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

const backend = await startNode('backend.ts');
// Two alike: one gets the idle connections, so that both can be measured in turn.
const quiet = await startNode('proxy.ts', 'gateway-open', String(backend.port), '2');
const gateway = await startNode('proxy.ts', 'gateway-open', String(backend.port), '2');
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function cpuPerRequest(peer: Peer): Promise<number> {
  const before = peer.cpuUs();
  const { requests } = await load({ port: peer.port, connections: 64, request: get, durationMs: 600 });
  return (peer.cpuUs() - before) / requests;
}

function openOne(index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', reject);
    socket.once('data', (chunk) => (chunk.includes(' 101 ') ? resolve() : reject(new Error(String(chunk).split('\r\n')[0]))));
    socket.write(upgrade(index % 20 === 0 ? 1 : 0));
  });
}

for (const { port } of [quiet, gateway]) await load({ port, connections: 64, request: get, durationMs: 1_500 });

const direct: number[][] = [[], []];
const through: number[][] = [[], []];
for (let i = 0; i < 5; i++) {
  for (const [port, into] of [
    [backend.port, direct],
    [quiet.port, through],
  ] as const) {
    const { latenciesMs } = await load({ port, connections: 64, request: get, durationMs: 1_000, rate: 8_000 });
    into[0]?.push(latenciesMs[latenciesMs.length >> 1] ?? NaN);
    into[1]?.push(latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? NaN);
  }
}

const rssBefore = gateway.rssBytes();
for (let opened = 0; opened < wanted; opened += 100) await Promise.all(Array.from({ length: 100 }, (_, index) => openOne(index)));
const rssAfter = gateway.rssBytes();
const without: number[] = [];
const beside: number[] = [];
for (let i = 0; i < 9; i++) {
  without.push(await cpuPerRequest(quiet));
  beside.push(await cpuPerRequest(gateway));
}
const [before, after] = [median(without), median(beside)];

console.log(`\n| figure | value |\n| --- | --- |`);
console.log(`| CPU per GET without idle WebSockets | ${before.toFixed(1)} µs |`);
console.log(`| CPU per GET beside ${wanted} idle WebSockets | ${after.toFixed(1)} µs, ${(after / before).toFixed(2)} times |`);
console.log(`| memory of an idle WebSocket (both sockets) | ${((rssAfter - rssBefore) / wanted / 1024).toFixed(1)} KiB |`);
for (const [i, name] of ['p50', 'p99'].entries()) {
  const own = median(direct[i] ?? []);
  const added = median(through[i] ?? []) - own;
  console.log(
    `| ${name} at 8,000 requests/s: backend direct, added by the gateway | ${own.toFixed(2)} ms, ${added.toFixed(2)} ms |`,
  );
}
process.exit(0);
