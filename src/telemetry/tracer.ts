import { realClock, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { systemRandom, type Random } from '../random.ts';
import type { Attributes } from './meter.ts';
import { childContext, type TraceContext } from './trace-context.ts';

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

export interface SpanOptions {
  /** Default `internal`. */
  readonly kind?: SpanKind;
  /** The span above; without one a new trace begins. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: Attributes;
  /** When it began, wall-clock milliseconds; default now. */
  readonly startMs?: number;
}

/** A step of a trace under way. */
export interface Span {
  /** What to send along with requests that belong to the step. */
  readonly context: TraceContext;
  set(attributes: Attributes): void;
  /** Ends it, now or at `endMs`; with an error it counts as failed. Further calls do nothing. */
  end(error?: unknown, endMs?: number): void;
}

/** Where spans go, shaped so that OpenTelemetry's tracer fits behind it. */
export interface Tracer {
  start(name: string, options?: SpanOptions): Span;
  /** For spans that begin in other processes; absent: the tracer can only make its own, as OpenTelemetry's API. */
  readonly remote?: RemoteSpans;
}

/** How other processes make spans for a tracer. */
export interface RemoteSpans {
  /** Decides there. */
  readonly sampler: Sampler;
  /** Takes a sampled span that has ended there. */
  take(span: FinishedSpan): void;
}

/** A finished span. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly error: string | undefined;
}

/** `always` and `never` overrule the caller's decision, `parent` keeps it (new traces are not sampled). */
export type Sampler = 'always' | 'never' | 'parent';

export interface TracerOptions {
  /** Default `parent`. */
  readonly sampler?: Sampler;
  /** Gets each sampled span once it has ended. */
  readonly export: (span: FinishedSpan) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A tracer of our own: contexts as W3C wants them, finished spans to a function. */
export function createTracer(options: TracerOptions): Tracer {
  const clock = options.clock ?? realClock;
  const random = options.random ?? systemRandom;
  const sampler = options.sampler ?? 'parent';
  return {
    remote: { sampler, take: options.export },
    start(name, { kind = 'internal', parent, attributes = {}, startMs = clock.now() } = {}) {
      const context = childContext(random, parent, sampler === 'parent' ? undefined : sampler === 'always');
      let all = attributes;
      let open = true;
      return {
        context,
        set(more) {
          all = { ...all, ...more };
        },
        end(error, endMs = clock.now()) {
          if (!open) return;
          open = false;
          if (!context.sampled) return;
          const message = error === undefined ? undefined : messageOf(error);
          options.export({ name, kind, context, parentSpanId: parent?.spanId, startMs, endMs, attributes: all, error: message });
        },
      };
    },
  };
}
