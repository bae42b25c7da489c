// CPU per request of the gateway (routing, header rules, instance picking with a hard limit, statistics) against bare proxies in the
// same run: 64 connections, peers interleaved, medians. `node bench/gateway.bench.ts [seconds per run] [rounds]`.
import { buildGo, start, startNode, type Peer } from './peers/child.ts';
import { load } from './peers/load.ts';

const durationMs = Number(process.argv[2] ?? 1.5) * 1000;
const rounds = Number(process.argv[3] ?? 5);

const get = 'GET /path?query=1 HTTP/1.1\r\nHost: hello-0.default.example.com\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n';
const post = `POST /path HTTP/1.1\r\nHost: hello-0.default.example.com\r\nUser-Agent: bench/1\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1024)}`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function measure(peer: Peer, request: string): Promise<{ cpuUs: number; rate: number; p99: number }> {
  const before = peer.cpuUs();
  const beganMs = performance.now();
  const { requests, latenciesMs } = await load({ port: peer.port, connections: 64, request, durationMs });
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    cpuUs: (peer.cpuUs() - before) / requests,
    rate: requests / seconds,
    p99: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? NaN,
  };
}

const backend = await startNode('backend.ts');
const port = String(backend.port);
const go = buildGo();
const proxies: Record<string, Peer> = {
  gateway: await startNode('proxy.ts', 'gateway', port),
  'gateway, 10,000 hosts': await startNode('proxy.ts', 'gateway', port, '10000'),
  'undici dispatch, one write': await startNode('proxy.ts', 'undici', port),
  'http-proxy-3': await startNode('proxy.ts', 'http-proxy-3', port),
  ...(go === undefined ? {} : { 'Go ReverseProxy': await start(go, [port]) }),
};
const servers: Record<string, Peer> = {
  'gateway to a function': await startNode('proxy.ts', 'function', port),
  'node:http, same handler': await startNode('proxy.ts', 'bare', port),
};

async function table(title: string, peers: Record<string, Peer>, request: string, reference: string): Promise<void> {
  const results = Object.fromEntries(
    Object.keys(peers).map((name) => [name, [] as { cpuUs: number; rate: number; p99: number }[]]),
  );
  for (const peer of Object.values(peers)) await load({ port: peer.port, connections: 64, request, durationMs: 800 });
  for (let round = 0; round < rounds; round++) {
    for (const [name, peer] of Object.entries(peers)) results[name]?.push(await measure(peer, request));
  }
  const base = median(results[reference]?.map(({ cpuUs }) => cpuUs) ?? []);
  console.log(
    `\n${title}\n\n| peer | CPU µs per request | ÷ ${reference} | requests/s | p99 ms |\n| --- | --- | --- | --- | --- |`,
  );
  for (const [name, runs] of Object.entries(results)) {
    const cpuUs = median(runs.map((run) => run.cpuUs));
    const rate = median(runs.map((run) => run.rate));
    const p99 = median(runs.map((run) => run.p99));
    console.log(`| ${name} | ${cpuUs.toFixed(1)} | ${(cpuUs / base).toFixed(2)} | ${rate.toFixed(0)} | ${p99.toFixed(1)} |`);
  }
}

await table('GET, 12-byte answer', proxies, get, 'undici dispatch, one write');
await table('POST 1 KiB, 12-byte answer', proxies, post, 'undici dispatch, one write');
await table('Function in process, GET', servers, get, 'node:http, same handler');
process.exit(0);
