import type { Random } from '../random.ts';

/** Position in a trace, as the W3C `traceparent` and `tracestate` headers carry it. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** The `tracestate` header, passed on as it is. */
  readonly traceState?: string;
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeroTrace = '0'.repeat(32);
const zeroSpan = '0'.repeat(16);

/**
 * Reads a `traceparent` header; `undefined` when it is malformed, all zero, of version ff, or of version 00 with more fields. Later
 * versions with more fields count as malformed too, as upstream's propagator reads them.
 */
export function parseTraceparent(header: string | undefined, traceState?: string): TraceContext | undefined {
  if (header === undefined) return undefined;
  const match = traceparent.exec(header.trim());
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || rest !== undefined || traceId === zeroTrace || spanId === zeroSpan) return undefined;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, ...(traceState === undefined || traceState === '' ? {} : { traceState }) };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** A context below `parent` (same trace, new span), or of a new trace without one. `sampled` defaults to the parent's, else false. */
export function childContext(random: Random, parent: TraceContext | undefined, sampled?: boolean): TraceContext {
  return {
    traceId: parent?.traceId ?? hex(random, 32),
    spanId: hex(random, 16),
    sampled: sampled ?? parent?.sampled ?? false,
    ...(parent?.traceState === undefined ? {} : { traceState: parent.traceState }),
  };
}

/**
 * A `traceparent` of a new trace that is not sampled, for requests that only have to carry one. The first half of the trace id serves
 * for some hundred traces, the second half is the span id: half the random digits, and no two alike.
 */
export function createTraceparents(random: Random): () => string {
  let prefix = '';
  let left = 0;
  return () => {
    if (left-- === 0) {
      prefix = hex(random, 16);
      left = 255;
    }
    const span = hex(random, 16);
    return `00-${prefix}${span}-${span}-00`;
  };
}

/** `digits` random hex digits, a multiple of 8, not all zero. */
function hex(random: Random, digits: number): string {
  let text = '';
  for (let i = 0; i < digits; i += 8) {
    // Byte by byte: turning a number above 2^31 into text costs several times as much.
    const word = (random() * 0x100000000) | 0;
    text += bytes[word >>> 24];
    text += bytes[(word >>> 16) & 255];
    text += bytes[(word >>> 8) & 255];
    text += bytes[word & 255];
  }
  return text === zeroSpan || text === zeroTrace ? `${text.slice(1)}1` : text;
}

const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
