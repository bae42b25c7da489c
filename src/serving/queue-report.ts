import type { RequestReport } from './request-stats.ts';

/** What a queue-proxy shows to whoever scrapes it. */
export interface QueueStat {
  podName: string;
  averageConcurrentRequests: number;
  averageProxiedConcurrentRequests: number;
  /** Per second. */
  requestCount: number;
  /** Per second. */
  proxiedRequestCount: number;
  processUptimeSeconds: number;
}

/** Media type of an encoded stat. */
export const queueStatMediaType = 'application/protobuf';

/** A period's report as a stat: counts become rates, concurrency is one already. */
export function makeQueueStat(podName: string, report: RequestReport, periodMs: number, uptimeMs: number): QueueStat {
  const periodSeconds = periodMs / 1_000;
  return {
    podName,
    averageConcurrentRequests: report.averageConcurrentRequests,
    averageProxiedConcurrentRequests: report.averageProxiedConcurrentRequests,
    requestCount: report.requestCount / periodSeconds,
    proxiedRequestCount: report.proxiedRequestCount / periodSeconds,
    processUptimeSeconds: uptimeMs / 1_000,
  };
}

/** The stat before the first report: nothing but the name. */
export function emptyQueueStat(podName: string): QueueStat {
  return {
    podName,
    averageConcurrentRequests: 0,
    averageProxiedConcurrentRequests: 0,
    requestCount: 0,
    proxiedRequestCount: 0,
    processUptimeSeconds: 0,
  };
}

// Numbers of the double fields in upstream's `Stat` message; the pod name is field 1.
const doubleFields = [
  [2, 'averageConcurrentRequests'],
  [3, 'averageProxiedConcurrentRequests'],
  [4, 'requestCount'],
  [5, 'proxiedRequestCount'],
  [6, 'processUptimeSeconds'],
] as const satisfies readonly (readonly [number, keyof QueueStat])[];

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/** The protobuf body of a scrape. Source: knative/serving pkg/autoscaler/metrics/stat.proto. */
export function encodeQueueStat(stat: QueueStat): Uint8Array {
  const name = new TextEncoder().encode(stat.podName);
  const buffer = new Uint8Array(name.length + 6 + doubleFields.length * 9);
  const view = new DataView(buffer.buffer);
  let at = 0;
  if (name.length > 0) {
    buffer[at++] = (1 << 3) | wireBytes;
    let length = name.length;
    for (; length > 0x7f; length >>>= 7) buffer[at++] = (length & 0x7f) | 0x80;
    buffer[at++] = length;
    buffer.set(name, at);
    at += name.length;
  }
  for (const [field, property] of doubleFields) {
    if (stat[property] === 0) continue;
    buffer[at++] = (field << 3) | wireFixed64;
    view.setFloat64(at, stat[property], true);
    at += 8;
  }
  return buffer.subarray(0, at);
}

/** Reads the body of a scrape; `undefined` when it is not a stat. Unknown fields are skipped. */
export function decodeQueueStat(body: Uint8Array): QueueStat | undefined {
  const stat = emptyQueueStat('');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35 && at < body.length; shift += 7) {
      const byte = body[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return NaN;
  };
  while (at < body.length) {
    const tag = varint();
    const wire = tag & 7;
    const property = doubleFields.find(([field]) => field === tag >>> 3)?.[1];
    if (wire === wireFixed64 && at + 8 <= body.length) {
      if (property !== undefined) stat[property] = view.getFloat64(at, true);
      at += 8;
    } else if (wire === wireBytes) {
      const length = varint();
      if (!(at + length <= body.length)) return undefined;
      if (tag >>> 3 === 1) stat.podName = new TextDecoder().decode(body.subarray(at, at + length));
      at += length;
    } else if (wire === wireVarint) {
      // Ten bytes at most; the value (a timestamp) is not used.
      let left = 10;
      while (left-- > 0 && (body[at++] ?? 0) >= 0x80);
    } else if (wire === wireFixed32 && at + 4 <= body.length) {
      at += 4;
    } else return undefined;
  }
  return stat;
}
