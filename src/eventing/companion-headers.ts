import { passedHeaders } from '../cloudevents/delivery-headers.ts';
import { defaultTtl, ttlAttribute } from '../cloudevents/delivery-rules.ts';

// What is stored beside an event, names and values in turn: first the hops it has left, so that neither filters nor subscribers see
// them and no copy of the event is made to hide them, then headers that go along with its deliveries.

const common = new Map<number, readonly string[]>();

/** The headers to store with an event that has `ttl` hops left. */
export function companionHeaders(ttl: number, passed: readonly string[]): readonly string[] {
  if (passed.length > 0) return [ttlAttribute, String(ttl), ...passed];
  let headers = common.get(ttl);
  if (headers === undefined) {
    headers = [ttlAttribute, String(ttl)];
    if (common.size < 1_000) common.set(ttl, headers);
  }
  return headers;
}

const traceNames: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage']);

/** What of a request's headers travels with its event: those that upstream passes on, and the trace. */
export function travellingHeaders(rawHeaders: readonly string[]): readonly string[] {
  const passed = passedHeaders(rawHeaders);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (traceNames.has(name)) passed.push(name, rawHeaders[at + 1] ?? '');
  }
  return passed;
}

/** Hops that a stored event has left. */
export function ttlBeside(rawHeaders: readonly string[]): number {
  return rawHeaders[0] === ttlAttribute ? Number(rawHeaders[1]) : defaultTtl;
}

/** The headers that go along with deliveries of a stored event; the trace is not among them, since each hop writes its own. */
export function deliveryHeaders(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name !== ttlAttribute && !traceNames.has(name)) headers.push(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}

/** The trace headers beside a stored event. */
export function traceBeside(rawHeaders: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (traceNames.has(name)) headers.push(name, rawHeaders[at + 1] ?? '');
  }
  return headers;
}
