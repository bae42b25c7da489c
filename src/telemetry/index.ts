export {
  latencyBoundsSeconds,
  sizeBoundsBytes,
  noopMeter,
  type Attributes,
  type Counter,
  type Gauge,
  type Histogram,
  type InstrumentOptions,
  type Meter,
} from './meter.ts';
export { openTelemetry, type OpenTelemetry } from './opentelemetry.ts';
export { prometheusContentType } from './prometheus.ts';
export { createRegistry, type InstrumentSnapshot, type Registry, type RegistryOptions, type SeriesSnapshot } from './registry.ts';
export { childContext, createTraceparents, formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts';
export {
  createTracer,
  type FinishedSpan,
  type RemoteSpans,
  type Sampler,
  type Span,
  type SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
} from './tracer.ts';
