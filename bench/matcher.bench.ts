// Claim: matching an event costs by what matches, not by the number of triggers. Workloads of GO-BASELINE.md section 1: 64 events in turn,
// "fresh" with attribute strings made from bytes each time, as a decoder does.
import { spawnSync } from 'node:child_process';
import { EventMessage } from '../src/cloudevents/event-message.ts';
import { compileFilter, type Filter, type FilterSpec } from '../src/eventing/filters/compile-filter.ts';
import { createMatcher, type Matcher } from '../src/eventing/matcher.ts';
import { cpuNs, formatTable, heapUsedAfterGc } from './matcher.measure.ts';

const sets: Record<string, (i: number) => FilterSpec> = {
  exact: (i) => ({ filters: [{ exact: { type: type(i) } }] }),
  cesql: (i) => ({ filters: [{ cesql: `type = '${type(i)}' AND source LIKE '/src/%'` }] }),
  mixed(i) {
    switch (i % 6) {
      case 0:
        return { filters: [{ exact: { type: type(i) } }] };
      case 1:
        return { filters: [{ prefix: { source: `/src/${i}` } }] };
      case 2:
        return { filters: [{ suffix: { subject: `-${i}.json` } }] };
      case 3:
        return { filters: [{ all: [{ exact: { type: type(i) } }, { prefix: { source: `/src/${i}` } }] }] };
      case 4:
        return { filters: [{ any: [{ exact: { type: type(i) } }, { suffix: { subject: `-${i}.json` } }] }] };
      default:
        return { filters: [{ not: { exact: { type: type(i) } } }] };
    }
  },
};

/** Events per CPU second of the Go filters, recorded (GO-BASELINE.md). */
const recordedGo: Record<string, Record<number, number>> = {
  exact: { 1: 2_730_000, 100: 19_260, 1_000: 1_807, 10_000: 186 },
  mixed: { 1: 3_156_000, 100: 15_300, 1_000: 1_305, 10_000: 98.5 },
  cesql: { 1: 2_058_000, 100: 18_460, 1_000: 1_684, 10_000: 119 },
};

function type(i: number): string {
  return `com.example.type.${i}`;
}

const eventCount = 64;
const indexes = (n: number): number[] => Array.from({ length: eventCount }, (_, k) => (157 * k) % n);
const data = new TextEncoder().encode(`{"p":"${'x'.repeat(248)}"}`);

function events(n: number): EventMessage[] {
  return indexes(n).map(
    (i) =>
      new EventMessage({
        id: `id-${i}`,
        type: type(i),
        source: `/src/${i}`,
        subject: `file-${i}.json`,
        datacontenttype: 'application/json',
        extensions: ['region', 'eu'],
        body: data,
      }),
  );
}

/** Makes events whose attribute strings are new each time, from the bytes that a socket would bring. */
function freshEvents(n: number): () => EventMessage {
  const heads = indexes(n).map((i) => {
    const parts = [type(i), `/src/${i}`, `file-${i}.json`];
    return {
      bytes: Buffer.from(parts.join('')),
      ends: parts.reduce<number[]>((ends, part) => [...ends, (ends.at(-1) ?? 0) + part.length], []),
    };
  });
  const extensions = ['region', 'eu'];
  let at = 0;
  return () => {
    const head = heads[at++ & (eventCount - 1)];
    if (head === undefined) throw new Error('no event');
    const [first = 0, second = 0, third = 0] = head.ends;
    return new EventMessage({
      id: 'id',
      type: head.bytes.toString('latin1', 0, first),
      source: head.bytes.toString('latin1', first, second),
      subject: head.bytes.toString('latin1', second, third),
      datacontenttype: 'application/json',
      extensions,
      body: data,
    });
  };
}

function fill(ids: readonly string[], filters: readonly Filter[]): Matcher {
  const matcher = createMatcher();
  filters.forEach((filter, i) => matcher.set(ids[i] ?? '', filter));
  return matcher;
}

const columns = [
  'set',
  'triggers',
  'ns per event',
  'fresh strings, ns',
  'of it making the event',
  'Go (recorded), ns',
  'Go ÷ ours',
  'remove + add, µs',
  'B per trigger',
];

function measure(name: string, n: number): string[] {
  const spec = sets[name];
  if (spec === undefined) throw new Error(`no set ${name}`);
  let sink = 0;
  const filters = Array.from({ length: n }, (_, i) => compileFilter(spec(i)));
  const ids = filters.map((_, i) => `trigger-${i}`);
  const before = heapUsedAfterGc();
  const matcher = fill(ids, filters);
  const bytes = (heapUsedAfterGc() - before) / n;
  const ready = events(n);
  const calls = 200_000;
  let at = 0;
  const warm = cpuNs(calls, () => {
    const event = ready[at++ & (eventCount - 1)];
    if (event !== undefined) sink += matcher.match(event).length;
  });
  const make = freshEvents(n);
  const fresh = cpuNs(calls, () => {
    sink += matcher.match(make()).length;
  });
  const making = cpuNs(calls, () => {
    sink += make().type.length;
  });
  let next = 0;
  const change = cpuNs(20_000, () => {
    const i = next++ % n;
    const filter = filters[i];
    if (filter === undefined) return;
    const id = ids[i] ?? '';
    matcher.delete(id);
    matcher.set(id, filter);
  });
  if (sink === 0) throw new Error('nothing matched');
  const go = recordedGo[name]?.[n];
  return [
    name,
    n.toLocaleString('en'),
    warm.toFixed(0),
    fresh.toFixed(0),
    making.toFixed(0),
    go === undefined ? '' : Math.round(1e9 / go).toLocaleString('en'),
    go === undefined ? '' : Math.round(1e9 / go / warm).toLocaleString('en'),
    (change / 1_000).toFixed(2),
    n < 10_000 ? '' : bytes.toFixed(0),
  ];
}

// One process per row, as the recorded prototypes were measured: what the compiler learnt from one set says nothing about the next.
const [, , only, count] = process.argv;
if (only !== undefined && count !== undefined) console.log(JSON.stringify(measure(only, Number(count))));
else {
  const rows: string[][] = [];
  for (const name of Object.keys(sets)) {
    for (const n of [1, 100, 1_000, 10_000, 100_000]) {
      const child = spawnSync(process.execPath, ['--expose-gc', import.meta.filename, name, String(n)], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      rows.push(JSON.parse(child.stdout) as string[]);
    }
  }
  console.log(formatTable(columns, rows));
}
