import { KnativeError, messageOf } from '../errors.ts';
import { optionFault } from './fault.ts';
import type { Load } from './load.ts';

/** A rate at a time; times are seconds, either from the start or since the Unix epoch. */
interface Point {
  readonly seconds: number;
  readonly value: number;
}

/** Times from here on are wall-clock times: 2001 in seconds. */
const epochFrom = 1e9;
/** Times from here on are milliseconds. */
const millisecondsFrom = 1e11;

/**
 * A load from comma-separated text with a head line. The first column is the time: seconds from the start or since the epoch,
 * milliseconds since the epoch, or ISO 8601. The second one is a rate per second, or the number of requests up to the next line
 * when it is called `requests` or `count`. Without a second column every line is one request.
 */
export function loadFromCsv(text: string): Load {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const [head = '', ...rows] = lines;
  const names = head.split(',').map((name) => name.trim().toLowerCase());
  const hasHead = names.some((name) => /[a-z]/.test(name) && Number.isNaN(Date.parse(name)));
  const cells = (hasHead ? rows : lines).map((line) => line.split(',').map((cell) => cell.trim()));
  if (cells.length === 0) throw trafficFault('the text has no rows');
  const first = hasHead ? 2 : 1;
  const times = cells.map(([time = ''], index) => secondsOf(time, `line ${index + first}`));
  if (cells.every((row) => row.length < 2)) return arrivalsFrom(times);
  const values = cells.map(([, value = ''], index) => numberOf(value, `line ${index + first}`));
  const counts = /^(requests|count|arrivals)$/.test(names[1] ?? '');
  return traceFrom(
    times.map((seconds, index) => ({ seconds, value: values[index] ?? 0 })),
    counts ? 'count' : 'rate',
  );
}

/**
 * A load from parsed JSON: an array of times (one request each), of `[time, requestsPerSecond]` pairs, or of objects with `time` and
 * `requestsPerSecond` or `requests`; or a Prometheus answer, see `loadFromPrometheus`. Times as in `loadFromCsv`.
 */
export function loadFromJson(value: unknown): Load {
  if (isObject(value) && 'data' in value) return loadFromPrometheus(value);
  if (!Array.isArray(value) || value.length === 0) throw trafficFault('expected an array that is not empty');
  const items: readonly unknown[] = value;
  if (items.every((item) => typeof item === 'number' || typeof item === 'string')) {
    return arrivalsFrom(items.map((item, index) => secondsOf(item, `[${index}]`)));
  }
  let counts = false;
  const points = items.map((item, index): Point => {
    const path = `[${index}]`;
    if (Array.isArray(item)) {
      const [time, rate]: readonly unknown[] = item;
      return { seconds: secondsOf(time, path), value: numberOf(rate, path) };
    }
    if (!isObject(item)) throw trafficFault(`${path} is neither a time nor a pair nor an object`);
    const count = item['requests'] ?? item['count'];
    counts ||= count !== undefined;
    return {
      seconds: secondsOf(item['time'] ?? item['at'], path),
      value: numberOf(count ?? item['requestsPerSecond'] ?? item['rps'], path),
    };
  });
  return traceFrom(points, counts ? 'count' : 'rate');
}

/** How the numbers of a Prometheus answer are to be read. */
export interface PrometheusOptions {
  /**
   * `rate`: requests per second, as `rate(…)` gives; `counter`: a running total; `concurrency`: requests in flight. Default: by the
   * metric's name, and `rate` where the query has removed it.
   */
  readonly as?: 'rate' | 'counter' | 'concurrency';
  /** Seconds that a request takes on average: turns concurrency into a rate. Default 0.1. */
  readonly serviceSeconds?: number;
}

/**
 * A load from the answer to a range query (`/api/v1/query_range`) for Knative's revision metrics, such as
 * `sum(rate(kn_serving_invocation_duration_seconds_count{…}[1m]))` or `kn_revision_request_concurrency`. Several series add up.
 */
export function loadFromPrometheus(answer: unknown, options: PrometheusOptions = {}): Load {
  const data = isObject(answer) ? answer['data'] : undefined;
  const result = isObject(data) ? data['result'] : undefined;
  if (!isObject(data) || data['resultType'] !== 'matrix' || !Array.isArray(result)) {
    const said = isObject(answer) && typeof answer['error'] === 'string' ? `: ${answer['error']}` : '';
    throw trafficFault(`expected the answer to a range query (resultType matrix)${said}`);
  }
  const sums = new Map<number, number>();
  for (const [index, series] of result.entries()) {
    for (const { seconds, value } of pointsOfSeries(series, index, options)) sums.set(seconds, (sums.get(seconds) ?? 0) + value);
  }
  if (sums.size === 0) throw trafficFault('the query found no data');
  const points = [...sums].map(([seconds, value]) => ({ seconds, value })).sort((a, b) => a.seconds - b.seconds);
  return traceFrom(points, 'rate');
}

function pointsOfSeries(series: unknown, index: number, { as, serviceSeconds = 0.1 }: PrometheusOptions): readonly Point[] {
  const path = `data.result[${index}]`;
  const values = isObject(series) ? series['values'] : undefined;
  if (!isObject(series) || !Array.isArray(values)) throw trafficFault(`${path} has no values`);
  const metric = isObject(series['metric']) ? series['metric']['__name__'] : undefined;
  const kind = as ?? kindByName(typeof metric === 'string' ? metric : '');
  const points = values.map((pair: unknown, at): Point => {
    const [time, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    return { seconds: secondsOf(time, `${path}.values[${at}]`), value: numberOf(value, `${path}.values[${at}]`) };
  });
  if (kind === 'rate') return points;
  if (kind === 'concurrency') return points.map(({ seconds, value }) => ({ seconds, value: value / serviceSeconds }));
  // What a counter gains up to the next point; a counter that falls has started anew.
  return points.slice(0, -1).map(({ seconds, value }, at) => {
    const next = points[at + 1] ?? { seconds: seconds + 1, value };
    const gained = next.value >= value ? next.value - value : next.value;
    return { seconds, value: gained / (next.seconds - seconds) };
  });
}

function kindByName(name: string): 'rate' | 'counter' | 'concurrency' {
  if (/_(total|count)$/.test(name)) return 'counter';
  return name.includes('concurrency') || name.endsWith('_active') ? 'concurrency' : 'rate';
}

function arrivalsFrom(seconds: readonly number[]): Load {
  const sorted = seconds.toSorted((a, b) => a - b);
  const origin = originOf(sorted[0] ?? 0);
  return {
    kind: 'arrivals',
    timesMs: sorted.map((time) => (time - origin) * 1_000),
    startMs: origin === 0 ? undefined : origin * 1_000,
  };
}

function traceFrom(points: readonly Point[], as: 'rate' | 'count'): Load {
  const sorted = points.toSorted((a, b) => a.seconds - b.seconds);
  const origin = originOf(sorted[0]?.seconds ?? 0);
  const times = sorted.map(({ seconds }) => (seconds - origin) * 1_000);
  const last = times.at(-1) ?? 0;
  const endMs = last + (times.length > 1 ? last - (times.at(-2) ?? 0) : 60_000);
  const twice = times.findIndex((timeMs, index) => timeMs === times[index + 1]);
  if (twice >= 0) throw trafficFault(`the time ${sorted[twice]?.seconds} s comes twice`);
  const rates = sorted.map(({ value }, index) => {
    if (!(value >= 0)) throw trafficFault(`a rate must be 0 or more, got ${value} at ${sorted[index]?.seconds} s`);
    return as === 'rate' ? value : (value / ((times[index + 1] ?? endMs) - (times[index] ?? 0))) * 1_000;
  });
  return { kind: 'trace', timesMs: times, requestsPerSecond: rates, endMs, startMs: origin === 0 ? undefined : origin * 1_000 };
}

// Wall-clock times begin at the first one; times from the start stay.
function originOf(firstSeconds: number): number {
  return firstSeconds >= epochFrom ? firstSeconds : 0;
}

function secondsOf(value: unknown, path: string): number {
  if (typeof value === 'number' || (typeof value === 'string' && value !== '' && Number.isFinite(Number(value)))) {
    const time = Number(value);
    if (Number.isFinite(time) && time >= 0) return time >= millisecondsFrom ? time / 1_000 : time;
  } else if (typeof value === 'string') {
    const ms = Date.parse(value);
    if (Number.isFinite(ms)) return ms / 1_000;
  }
  throw trafficFault(`${path}: ${JSON.stringify(value)} is no time`);
}

function numberOf(value: unknown, path: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  // Prometheus writes gaps as NaN: nothing was measured, so nothing is replayed.
  if (typeof number === 'number' && Number.isNaN(number) && value === 'NaN') return 0;
  throw trafficFault(`${path}: ${JSON.stringify(value)} is no number`);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

function trafficFault(problem: string): KnativeError {
  return new KnativeError('SIMULATOR_INVALID_TRAFFIC', `recorded traffic: ${problem}`, {
    hint: 'CSV with a head line (time,requests_per_second), JSON pairs, or the answer to a Prometheus range query',
  });
}

/** A load from the text of a file; the name's ending tells CSV (`.csv`) from JSON (everything else). */
export function loadFromText(text: string, name: string): Load {
  if (name.endsWith('.csv')) return loadFromCsv(text);
  try {
    return loadFromJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw optionFault(name, `is neither CSV nor JSON: ${messageOf(error)}`);
    throw error;
  }
}
