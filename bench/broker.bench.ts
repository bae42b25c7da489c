// Publish → match → function in one process: CPU per delivery on the memory log with time-outs, cursors and dead letters in place and
// tracing hooks present but off. `node bench/broker.bench.ts`. The goal is 1.5 million deliveries per CPU second, decode included.
import { decodeHttp, encodeBinary, EventFault, createEvent } from '../src/cloudevents/index.ts';
import { createBroker } from '../src/eventing/broker.ts';
import { memoryLog } from '../src/eventing/logs/memory.ts';
import { formatTable, median } from './matcher.measure.ts';

const rounds = 5;
const batch = 64;

interface Setup {
  readonly triggers: number;
  readonly subscriber: 'sync' | 'async';
  readonly decode: boolean;
  readonly read?: boolean;
}

async function measure(setup: Setup, events: number): Promise<number> {
  await using broker = await createBroker({ log: memoryLog(), deadLetterSink: () => undefined });
  let delivered = 0;
  for (let at = 0; at < setup.triggers; at++) {
    broker.addTrigger(`default/t${at}`, {
      filters: [{ exact: { type: `com.example.type${at}` } }],
      delivery: { retry: 5, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S', timeout: 'PT10S' },
      subscriber:
        setup.subscriber === 'sync'
          ? (event) => {
              if (setup.read === true) event.data();
              delivered++;
            }
          : async (event) => {
              if (setup.read === true) event.data();
              delivered++;
            },
    });
  }
  const source = createEvent({
    id: 'e-1',
    source: '/shop/orders',
    type: `com.example.type${setup.triggers >> 1}`,
    subject: 'file-7.json',
    time: null,
    data: { p: 'x'.repeat(248) },
    extensions: { region: 'eu' },
  });
  const { rawHeaders, body } = encodeBinary(source);
  const ready = decodeHttp(rawHeaders, body);
  if (ready instanceof EventFault) throw ready;
  const bytes = body ?? new Uint8Array();

  const run = async (count: number): Promise<void> => {
    const target = delivered + count;
    for (let left = count; left > 0; left -= batch) {
      const published: Promise<unknown>[] = [];
      for (let i = 0; i < Math.min(batch, left); i++) {
        const event = setup.decode ? decodeHttp(rawHeaders, bytes) : ready;
        if (event instanceof EventFault) throw event;
        published.push(broker.publish(event));
      }
      for (const promise of published) await promise;
    }
    while (delivered < target) await new Promise((resolve) => setImmediate(resolve));
  };
  await run(events / 5);
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await run(events);
    const { user, system } = process.cpuUsage(before);
    results.push(((user + system) * 1_000) / events);
  }
  return median(results);
}

const setups: Setup[] = [
  { triggers: 1, subscriber: 'sync', decode: false },
  { triggers: 1, subscriber: 'async', decode: true },
  { triggers: 1_000, subscriber: 'async', decode: true },
  { triggers: 1_000, subscriber: 'async', decode: true, read: true },
];
const rows: string[][] = [];
for (const setup of setups) {
  const ns = await measure(setup, 300_000);
  const what = `${setup.decode ? 'binary decode, ' : ''}awaited publish, ${setup.subscriber} function${setup.read === true ? ' that reads JSON' : ''}`;
  rows.push([what, String(setup.triggers), ns.toFixed(0), (1e9 / ns / 1e6).toFixed(2)]);
}
console.log(formatTable(['delivery', 'exact triggers', 'CPU ns', 'million per CPU s'], rows));
