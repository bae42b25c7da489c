import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileLog, jetStreamLog, memoryLog, rabbitMqLog, redisStreamsLog, type EventLog } from '../src/eventing/index.ts';
import { deleteRabbitMq, ownRedis, reachable, runName } from '../test/eventing/logs/servers.ts';
import { measureLog, producers, roundMs, row, type Sample } from './log.measure.ts';

// Every log with what it promises: the same 64 producers and one consumer. CPU is that of this process, without the servers'.

const rounds = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'knative-embed-bench-'));
const everySync = await ownRedis();
const everySecond = await ownRedis('--appendfsync', 'everysec');
const made: string[] = [];

const logs: Record<string, (round: number) => EventLog> = {
  memory: () => memoryLog(),
  file: (round) => fileLog(join(folder, String(round))),
  'Redis Streams, appendfsync always': (round) =>
    redisStreamsLog({ prefix: `${runName}-${round}`, connection: { port: everySync.port } }),
  'Redis Streams, appendfsync everysec': (round) =>
    redisStreamsLog({ prefix: `${runName}-${round}`, connection: { port: everySecond.port } }),
};
if (await reachable(4222)) {
  logs['JetStream, file store'] = (round) => jetStreamLog({ stream: `${runName}-${round}`, bytesMax: 256 * 1024 * 1024 });
}
if (await reachable(5672)) {
  const make = (prefix: string, replay: boolean): EventLog => {
    made.push(prefix);
    return rabbitMqLog({ prefix, replay, replayBytes: 64 * 1024 * 1024 });
  };
  logs['RabbitMQ, quorum queue'] = (round) => make(`${runName}-q${round}`, false);
  logs['RabbitMQ, quorum queue and stream'] = (round) => make(`${runName}-s${round}`, true);
}

const samples = new Map<string, Sample[]>();
const guarantees = new Map<string, string>();
for (let round = -1; round < rounds; round++) {
  for (const [name, make] of Object.entries(logs)) {
    const log = make(round);
    await log.open();
    const sample = await measureLog(log);
    if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), sample]);
    guarantees.set(name, log.guarantee);
    await log.close();
  }
}
console.log(`${producers} producers, one consumer, 256 B events, ${rounds} interleaved rounds of ${roundMs} ms, medians\n`);
console.log('| | events/s | CPU µs/event | wait p50 / p99 ms | loop delay p99 ms | when the sender is told |');
console.log('|---|---|---|---|---|---|');
for (const [name, all] of samples) console.log(`${row(name, all, undefined)} ${guarantees.get(name) ?? ''} |`);

for (const prefix of made) await deleteRabbitMq(prefix);
if (await reachable(4222)) {
  const nc = await connect();
  const jsm = await jetstreamManager(nc);
  for await (const name of jsm.streams.names()) if (name.startsWith(runName)) await jsm.streams.delete(name);
  await nc.close();
}
await everySync[Symbol.asyncDispose]();
await everySecond[Symbol.asyncDispose]();
rmSync(folder, { recursive: true, force: true });
