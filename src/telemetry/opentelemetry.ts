import type * as Otel from '@opentelemetry/api';
import { KnativeError, messageOf } from '../errors.ts';
import type { Meter } from './meter.ts';
import type { SpanKind, Tracer } from './tracer.ts';

/** Meter and tracer that hand everything to the OpenTelemetry API of the application. */
export interface OpenTelemetry {
  readonly meter: Meter;
  readonly tracer: Tracer;
}

/**
 * Loads `@opentelemetry/api` (an optional peer) and returns ports onto its global providers, named `name` (default
 * `knative-embed`). KERNEL_PEER_MISSING when the package is not installed.
 */
export async function openTelemetry(name = 'knative-embed'): Promise<OpenTelemetry> {
  let api: typeof Otel;
  try {
    api = await import('@opentelemetry/api');
  } catch (error) {
    throw new KnativeError('KERNEL_PEER_MISSING', `cannot load @opentelemetry/api: ${messageOf(error)}`, {
      cause: error,
      hint: 'npm install @opentelemetry/api',
    });
  }
  return { meter: meterOf(api, name), tracer: tracerOf(api, name) };
}

function meterOf(api: typeof Otel, name: string): Meter {
  const meter = api.metrics.getMeter(name);
  return {
    counter: (metric, options) => meter.createCounter(metric, options),
    upDownCounter: (metric, options) => meter.createUpDownCounter(metric, options),
    gauge: (metric, options) => meter.createGauge(metric, options),
    histogram: (metric, { boundaries, ...options } = {}) =>
      meter.createHistogram(metric, {
        ...options,
        ...(boundaries === undefined ? {} : { advice: { explicitBucketBoundaries: [...boundaries] } }),
      }),
  };
}

function tracerOf(api: typeof Otel, name: string): Tracer {
  const tracer = api.trace.getTracer(name);
  const kinds: Record<SpanKind, Otel.SpanKind> = {
    internal: api.SpanKind.INTERNAL,
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
  };
  return {
    start(spanName, { kind = 'internal', parent, attributes, startMs } = {}) {
      const root = api.ROOT_CONTEXT;
      const above =
        parent === undefined
          ? root
          : api.trace.setSpanContext(root, {
              traceId: parent.traceId,
              spanId: parent.spanId,
              traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
              isRemote: true,
              ...(parent.traceState === undefined ? {} : { traceState: api.createTraceState(parent.traceState) }),
            });
      const span = tracer.startSpan(
        spanName,
        {
          kind: kinds[kind],
          ...(attributes === undefined ? {} : { attributes }),
          ...(startMs === undefined ? {} : { startTime: startMs }),
        },
        above,
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        context: {
          traceId,
          spanId,
          sampled: (traceFlags & api.TraceFlags.SAMPLED) !== 0,
          ...(parent?.traceState === undefined ? {} : { traceState: parent.traceState }),
        },
        set: (more) => void span.setAttributes(more),
        end(error, endMs) {
          if (error !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: messageOf(error) });
          span.end(endMs);
        },
      };
    },
  };
}
