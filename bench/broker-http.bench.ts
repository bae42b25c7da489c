// CPU per event from an HTTP request through the broker to a function and to an HTTP subscriber, against a bare forwarder (node:http
// in, undici dispatch out) in the same run. 64 connections, peers interleaved. `node bench/broker-http.bench.ts [seconds] [rounds]`.
import { request } from 'node:http';
import { startNode, type Peer } from './peers/child.ts';
import { load } from './peers/load.ts';

const durationMs = Number(process.argv[2] ?? 1.5) * 1_000;
const rounds = Number(process.argv[3] ?? 5);
const body = JSON.stringify({ p: 'x'.repeat(248) });
const message = `POST /default/default HTTP/1.1\r\nHost: broker-ingress.localhost\r\nUser-Agent: bench/1\r\nce-specversion: 1.0\r\nce-id: id-7\r\nce-type: com.example.type0\r\nce-source: /src/7\r\nce-subject: file-7.json\r\nce-region: eu\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function idle(peer: Peer): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port: peer.port, path: '/idle' }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

async function measure(peer: Peer): Promise<{ cpuUs: number; rate: number }> {
  const before = peer.cpuUs();
  const beganMs = performance.now();
  const { requests } = await load({ port: peer.port, connections: 64, request: message, durationMs });
  await idle(peer);
  const seconds = (performance.now() - beganMs) / 1_000;
  return { cpuUs: (peer.cpuUs() - before) / requests, rate: requests / seconds };
}

const backend = await startNode('backend.ts', '0');
const port = String(backend.port);
const peers: Record<string, Peer> = {
  'bare forwarder': await startNode('proxy.ts', 'undici', port),
  'broker to HTTP subscriber, 1 trigger': await startNode('../broker-http.server.ts', '1', port),
  'broker to HTTP subscriber, 10,000 triggers': await startNode('../broker-http.server.ts', '10000', port),
  'broker to function, 1 trigger': await startNode('../broker-http.server.ts', '1', '0'),
  'broker to function, 1,000 triggers': await startNode('../broker-http.server.ts', '1000', '0'),
};
const results = Object.fromEntries(Object.keys(peers).map((name) => [name, [] as { cpuUs: number; rate: number }[]]));
for (const peer of Object.values(peers)) {
  await load({ port: peer.port, connections: 64, request: message, durationMs: 800 });
  await idle(peer);
}
for (let round = 0; round < rounds; round++) {
  for (const [name, peer] of Object.entries(peers)) results[name]?.push(await measure(peer));
}
const base = median(results['bare forwarder']?.map(({ cpuUs }) => cpuUs) ?? []);
console.log('| peer | CPU µs per event | ÷ forwarder | events per CPU s | events/s |\n| --- | --- | --- | --- | --- |');
for (const [name, runs] of Object.entries(results)) {
  const cpuUs = median(runs.map((run) => run.cpuUs));
  const rate = median(runs.map((run) => run.rate));
  console.log(
    `| ${name} | ${cpuUs.toFixed(1)} | ${(cpuUs / base).toFixed(2)} | ${(1e6 / cpuUs).toFixed(0)} | ${rate.toFixed(0)} |`,
  );
}
process.exit(0);
