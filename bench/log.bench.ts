import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EventMessage } from '../src/cloudevents/index.ts';
import { encodeEvent } from '../src/eventing/logs/event-codec.ts';
import { fileLog } from '../src/eventing/logs/file.ts';
import { bareFile, sqliteWorker } from './log-peers.ts';

// The file log beside the least that could do: 64 producers, each waits until its 256 B event is durable. Interleaved rounds, medians.

const producers = 64;
const rounds = Number(process.argv[2] ?? 5);
const roundMs = 1_500;
const recoveryEvents = Number(process.argv[3] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'knative-embed-bench-'));
const body = Buffer.alloc(256, 'x');
const headers = ['kn-ttl', '254'];
let made = 0;

function event(): EventMessage {
  const id = String(++made);
  return new EventMessage({ id, source: '/bench', type: 'com.example.order.created', datacontenttype: 'application/json', body });
}

interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50: number;
  readonly p99: number;
  readonly loopP99: number;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function measure(append: () => Promise<unknown> | undefined): Promise<Sample> {
  const waits: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let events = 0;
  const start = performance.now();
  const cpu = process.cpuUsage();
  delay.enable();
  await Promise.all(
    Array.from({ length: producers }, async () => {
      while (performance.now() - start < roundMs) {
        const before = performance.now();
        await append();
        if (++events % 16 === 0) waits.push(performance.now() - before);
      }
    }),
  );
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1_000;
  waits.sort((a, b) => a - b);
  return {
    perSecond: events / seconds,
    cpuMicros: (user + system) / events,
    p50: waits[waits.length >> 1] ?? 0,
    p99: waits[Math.floor(waits.length * 0.99)] ?? 0,
    loopP99: delay.percentile(99) / 1e6,
  };
}

const peers: Record<string, (name: string) => Promise<Sample>> = {
  'bare file, async fdatasync': async (name) => {
    const peer = bareFile(join(folder, name));
    const encoded = encodeEvent(event(), headers);
    const sample = await measure(() => peer.append(encoded));
    await peer.close();
    return sample;
  },
  'bare node:sqlite in a worker': async (name) => {
    const peer = sqliteWorker(join(folder, name));
    const encoded = encodeEvent(event(), headers);
    const sample = await measure(() => peer.append(encoded));
    await peer.close();
    return sample;
  },
  'file log': async (name) => {
    const log = fileLog(join(folder, name));
    await log.open();
    const trigger = log.trigger('t');
    const shares = [trigger];
    const consumer = trigger.consume({
      onReady: () => {
        queueMicrotask(() => {
          for (let next = consumer.next(); next !== undefined; next = consumer.next()) next.ack();
        });
      },
      prefetch: 100,
    });
    const sample = await measure(() => log.append(event(), shares, headers));
    consumer.close();
    await log.close();
    return sample;
  },
  'file log, nobody consumes': async (name) => {
    const log = fileLog(join(folder, name));
    await log.open();
    const shares = [log.trigger('t')];
    const sample = await measure(() => log.append(event(), shares, headers));
    await log.close();
    return sample;
  },
};

const samples = new Map<string, Sample[]>();
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(peers)) {
    const path = `${Object.keys(peers).indexOf(name)}-${round}`;
    const sample = await run(path);
    if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), sample]);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, path + suffix), { recursive: true, force: true });
  }
}
const rate = (name: string): number => median((samples.get(name) ?? []).map(({ perSecond }) => perSecond));
const bare = rate('bare file, async fdatasync');
console.log(`${producers} producers, 256 B events, ${rounds} interleaved rounds of ${roundMs} ms, medians\n`);
console.log('| | events/s | of the bare file | CPU µs/event | wait p50 / p99 ms | loop delay p99 ms |');
console.log('|---|---|---|---|---|---|');
for (const [name, all] of samples) {
  const of = (pick: (sample: Sample) => number): number => median(all.map(pick));
  const waits = `${of(({ p50 }) => p50).toFixed(2)} / ${of(({ p99 }) => p99).toFixed(2)}`;
  console.log(
    `| ${name} | ${Math.round(rate(name)).toLocaleString('en')} | ${(rate(name) / bare).toFixed(2)} | ${of(({ cpuMicros }) => cpuMicros).toFixed(2)} | ${waits} | ${of(({ loopP99 }) => loopP99).toFixed(2)} |`,
  );
}

async function recovery(): Promise<void> {
  const path = join(folder, 'recovery');
  {
    await using log = fileLog(path);
    await log.open();
    const shares = [log.trigger('t')];
    let last: Promise<void> | undefined;
    for (let n = 0; n < recoveryEvents; n++) {
      last = log.append(event(), shares, headers);
      if (n % 4_096 === 0) await last;
    }
    await last;
  }
  globalThis.gc?.();
  const heap = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const log = fileLog(path);
  await log.open();
  const { user, system } = process.cpuUsage(cpu);
  const { backlog } = log.trigger('t');
  console.log(`\nrecovery of ${backlog.toLocaleString('en')} events: ${((user + system) / 1e6).toFixed(2)} s of CPU`);
  const trigger = log.trigger('t');
  const before = process.cpuUsage();
  let taken = 0;
  let peak = 0;
  await new Promise<void>((resolve) => {
    const consumer = trigger.consume({
      onReady: () => {
        setImmediate(() => {
          for (let next = consumer.next(); next !== undefined; next = consumer.next()) {
            next.ack();
            taken++;
          }
          peak = Math.max(peak, process.memoryUsage().rss);
          if (taken === backlog) {
            consumer.close();
            resolve();
          }
        });
      },
      prefetch: 100,
    });
  });
  const drained = process.cpuUsage(before);
  console.log(
    `draining it from disk: ${((drained.user + drained.system) / taken).toFixed(2)} µs of CPU per event, memory at most ${((peak - heap) / 1e6).toFixed(0)} MB above the start`,
  );
  await log.close();
}

await recovery();
rmSync(folder, { recursive: true, force: true });
