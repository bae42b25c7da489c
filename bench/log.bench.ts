import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeEvent } from '../src/eventing/logs/event-codec.ts';
import { fileLog } from '../src/eventing/logs/file.ts';
import { event, headers, measure, measureLog, median, producers, roundMs, row, type Sample } from './log.measure.ts';
import { bareFile, sqliteWorker } from './log-peers.ts';

// The file log beside the least that could do: 64 producers, each waits until its 256 B event is durable. Interleaved rounds, medians.

const rounds = Number(process.argv[2] ?? 5);
const recoveryEvents = Number(process.argv[3] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'knative-embed-bench-'));

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
    const sample = await measureLog(log);
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
for (const [name, all] of samples) console.log(row(name, all, bare));

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
