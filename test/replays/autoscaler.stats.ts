// Replays request statistics of queue-proxies and activators, sampling and the body of a scrape.
import { extrapolateStat, sampleSize } from '../../src/autoscaler/sample.ts';
import { ActivatorStats, type ActivatorStat } from '../../src/serving/activator-stats.ts';
import {
  emptyQueueStat,
  encodeQueueStat,
  decodeQueueStat,
  makeQueueStat,
  queueStatMediaType,
} from '../../src/serving/queue-report.ts';
import { RequestStats } from '../../src/serving/request-stats.ts';
import { casesOf, jsonNumbers } from './autoscaler.cases.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

type StatsEvent = [kind: string, t: number, ...rest: unknown[]];

export function* requestStatsCases(folder: string): Iterable<ReplayCase> {
  for (const item of casesOf<{ name: string; startUs: number; events: StatsEvent[] }>(folder, 'request-stats.json')) {
    yield {
      file: 'request-stats.json',
      id: item.name,
      expected: item.events.filter(([kind]) => kind === 'report').map((event) => event.slice(2)),
      check: (want: unknown) => {
        const stats = new RequestStats(item.startUs / 1_000);
        const got: unknown[] = [];
        for (const [kind, timeUs] of item.events) {
          const nowMs = timeUs / 1_000;
          if (kind === 'in') stats.arrive(nowMs);
          else if (kind === 'out') stats.leave(nowMs);
          else if (kind === 'proxied-in') stats.arrive(nowMs, true);
          else if (kind === 'proxied-out') stats.leave(nowMs, true);
          else got.push(Object.values(stats.report(nowMs)));
        }
        return differencesOf(want, jsonNumbers(got));
      },
    };
  }
}

const messageOf = (stat: ActivatorStat): unknown[] => [stat.revision, stat.averageConcurrentRequests, stat.requestCount];
const byRevision = (a: ActivatorStat, b: ActivatorStat): number => (a.revision < b.revision ? -1 : 1);

export function* activatorStatsCases(folder: string): Iterable<ReplayCase> {
  for (const item of casesOf<{ name: string; events: StatsEvent[] }>(folder, 'activator-stats.json')) {
    yield {
      file: 'activator-stats.json',
      id: item.name,
      expected: item.events.filter(([kind]) => kind !== 'out').map(([kind, , ...rest]) => (kind === 'in' ? rest[2] : rest)),
      check: (want: unknown) => {
        const stats = new ActivatorStats();
        const revisions = new Map<unknown, string>();
        const got: unknown[] = [];
        for (const [kind, timeUs, ...rest] of item.events) {
          const nowMs = timeUs / 1_000;
          if (kind === 'in') {
            const revision = rest[1] as string;
            revisions.set(rest[0], revision);
            const message = stats.requestIn(revision, nowMs);
            got.push(message === undefined ? [] : [messageOf(message)]);
          } else if (kind === 'out') stats.requestOut(revisions.get(rest[0]) ?? '', nowMs);
          else got.push([stats.report(nowMs).sort(byRevision).map(messageOf), stats.size]);
        }
        return differencesOf(want, jsonNumbers(got));
      },
    };
  }
}

type Columns = [number, number, number, number];

interface ScrapeCase {
  kind: 'sampleSize' | 'average' | 'queueReport';
  population: number;
  sample: number;
  stats: Columns[];
  report: Columns;
  reported: boolean;
  periodMs: number;
  uptimeMs: number;
  expect: unknown;
  hex: string;
  contentType: string;
}

export function* scrapeCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<ScrapeCase>(folder, 'scrape.json').entries()) {
    const expected =
      item.kind === 'queueReport' ? { stat: item.expect, hex: item.hex, contentType: item.contentType } : item.expect;
    yield {
      file: 'scrape.json',
      id: `${item.kind} ${index + 1}`,
      expected,
      check: (want: unknown) => differencesOf(want, jsonNumbers(scrapeView(item))),
    };
  }
}

function scrapeView(item: ScrapeCase): unknown {
  if (item.kind === 'sampleSize') return sampleSize(item.population);
  if (item.kind === 'average') {
    const stats = item.stats.map(([concurrency, proxied, count, proxiedCount]) => ({
      averageConcurrentRequests: concurrency,
      averageProxiedConcurrentRequests: proxied,
      requestCount: count,
      proxiedRequestCount: proxiedCount,
    }));
    return Object.values(extrapolateStat(stats, item.population));
  }
  const [averageConcurrentRequests, averageProxiedConcurrentRequests, requestCount, proxiedRequestCount] = item.report;
  const report = { averageConcurrentRequests, averageProxiedConcurrentRequests, requestCount, proxiedRequestCount };
  const stat = item.reported ? makeQueueStat('pod', report, item.periodMs, item.uptimeMs) : emptyQueueStat('pod');
  const body = encodeQueueStat(stat);
  const { processUptimeSeconds, ...columns } = decodeQueueStat(body) ?? stat;
  return {
    stat: { ...columns, processUptime: processUptimeSeconds },
    hex: Buffer.from(body).toString('hex'),
    contentType: queueStatMediaType,
  };
}
