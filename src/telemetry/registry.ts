import { KnativeError } from '../errors.ts';
import {
  latencyBoundsSeconds,
  type Attributes,
  type Counter,
  type Gauge,
  type Histogram,
  type InstrumentOptions,
  type Meter,
} from './meter.ts';
import { Instrument, type InstrumentKind } from './instrument.ts';
import { prometheusText } from './prometheus.ts';

/** A meter that keeps its measurements in memory, for reading and for Prometheus. */
export interface Registry extends Meter {
  /** All series in Prometheus text format 0.0.4. */
  prometheus(): string;
  /** Value of a counter or gauge, or number of measurements of a histogram; 0 when the series does not exist. */
  value(name: string, attributes?: Attributes): number;
  /** Everything measured so far. */
  snapshot(): readonly InstrumentSnapshot[];
}

export interface InstrumentSnapshot {
  readonly name: string;
  readonly kind: InstrumentKind;
  readonly unit: string | undefined;
  readonly series: readonly SeriesSnapshot[];
}

export interface SeriesSnapshot {
  readonly attributes: Attributes;
  /** Counter and gauge: the value. Histogram: the sum. */
  readonly value: number;
  /** Histogram: measurements. */
  readonly count?: number;
  /** Histogram: measurements per bucket, the last one above all bounds. */
  readonly buckets?: readonly number[];
}

export interface RegistryOptions {
  /** Series of one instrument; more are counted in one series with `otel.metric.overflow`. Default 2,000, as OpenTelemetry's. */
  readonly seriesMax?: number;
}

export function createRegistry(options: RegistryOptions = {}): Registry {
  const seriesMax = options.seriesMax ?? 2_000;
  const instruments = new Map<string, Instrument>();

  function instrument(kind: InstrumentKind, name: string, { description, unit, boundaries }: InstrumentOptions = {}): Instrument {
    const known = instruments.get(name);
    if (known !== undefined) {
      if (known.kind !== kind) throw new KnativeError('KERNEL_METRIC_KIND', `metric ${name} is a ${known.kind}, not a ${kind}`);
      return known;
    }
    const created = new Instrument(kind, name, { description, unit, boundaries: boundaries ?? latencyBoundsSeconds, seriesMax });
    instruments.set(name, created);
    return created;
  }

  return {
    counter: (name, settings): Counter => instrument('counter', name, settings),
    upDownCounter: (name, settings): Counter => instrument('upDownCounter', name, settings),
    gauge: (name, settings): Gauge => instrument('gauge', name, settings),
    histogram: (name, settings): Histogram => instrument('histogram', name, settings),
    prometheus: () => prometheusText(instruments.values()),
    value: (name, attributes = {}) => instruments.get(name)?.valueOf(attributes) ?? 0,
    snapshot: () => [...instruments.values()].map((item) => item.snapshot()),
  };
}
