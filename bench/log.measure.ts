import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EventMessage } from '../src/cloudevents/index.ts';
import type { EventLog } from '../src/eventing/index.ts';

// 64 producers, each waits until its 256 B event is durable before it sends the next.

export const producers = 64;
export const roundMs = 1_500;
export const headers = ['kn-ttl', '254'];
const body = Buffer.alloc(256, 'x');
let made = 0;

export function event(): EventMessage {
  const id = String(++made);
  return new EventMessage({ id, source: '/bench', type: 'com.example.order.created', datacontenttype: 'application/json', body });
}

export interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50: number;
  readonly p99: number;
  readonly loopP99: number;
}

export const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

export async function measure(append: () => Promise<unknown> | undefined): Promise<Sample> {
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

/** One round on an open log with a consumer that acknowledges everything. */
export async function measureLog(log: EventLog): Promise<Sample> {
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
  return sample;
}

/** One row of the tables. */
export function row(name: string, all: readonly Sample[], bare: number | undefined): string {
  const of = (pick: (sample: Sample) => number): number => median(all.map(pick));
  const rate = of(({ perSecond }) => perSecond);
  const share = bare === undefined ? '' : ` ${(rate / bare).toFixed(2)} |`;
  const waits = `${of(({ p50 }) => p50).toFixed(2)} / ${of(({ p99 }) => p99).toFixed(2)}`;
  const cpu = of(({ cpuMicros }) => cpuMicros).toFixed(2);
  return `| ${name} | ${Math.round(rate).toLocaleString('en')} |${share} ${cpu} | ${waits} | ${of(({ loopP99 }) => loopP99).toFixed(2)} |`;
}
