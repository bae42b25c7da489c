import type { Attributes, Counter, Gauge, Histogram } from './meter.ts';
import type { InstrumentSnapshot } from './registry.ts';

export type InstrumentKind = 'counter' | 'upDownCounter' | 'gauge' | 'histogram';

/** Measurements with one set of attributes. */
export class Series {
  readonly attributes: Attributes;
  readonly counts: Float64Array;
  value = 0;
  count = 0;

  constructor(attributes: Attributes, bucketCount: number) {
    this.attributes = attributes;
    this.counts = new Float64Array(bucketCount);
  }
}

export interface InstrumentSettings {
  readonly description: string | undefined;
  readonly unit: string | undefined;
  readonly boundaries: readonly number[];
  readonly seriesMax: number;
}

const overflow: Attributes = { 'otel.metric.overflow': true };
const none: Attributes = {};

/** One instrument of a registry. */
export class Instrument implements Counter, Gauge, Histogram {
  readonly kind: InstrumentKind;
  readonly name: string;
  readonly settings: InstrumentSettings;
  readonly #byKey = new Map<string, Series>();
  // Callers that keep their attribute objects skip the sorting and joining.
  readonly #byObject = new WeakMap<Attributes, Series>();

  constructor(kind: InstrumentKind, name: string, settings: InstrumentSettings) {
    this.kind = kind;
    this.name = name;
    this.settings = settings;
  }

  /** Counters never go down: a negative step of one is left out. */
  add(value: number, attributes: Attributes = none): void {
    if (!Number.isFinite(value) || (this.kind === 'counter' && value < 0)) return;
    this.#series(attributes).value += value;
  }

  record(value: number, attributes: Attributes = none): void {
    if (!Number.isFinite(value)) return;
    const series = this.#series(attributes);
    if (this.kind !== 'histogram') {
      series.value = value;
      return;
    }
    series.value += value;
    series.count++;
    const bucket = this.#bucketOf(value);
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
  }

  get series(): Iterable<Series> {
    return this.#byKey.values();
  }

  valueOf(attributes: Attributes): number {
    const series = this.#byKey.get(keyOf(attributes));
    return series === undefined ? 0 : this.kind === 'histogram' ? series.count : series.value;
  }

  snapshot(): InstrumentSnapshot {
    const series = [...this.#byKey.values()].map(({ attributes, value, count, counts }) =>
      this.kind === 'histogram' ? { attributes, value, count, buckets: [...counts] } : { attributes, value },
    );
    return { name: this.name, kind: this.kind, unit: this.settings.unit, series };
  }

  #series(attributes: Attributes): Series {
    const known = this.#byObject.get(attributes);
    if (known !== undefined) return known;
    let key = keyOf(attributes);
    let series = this.#byKey.get(key);
    if (series === undefined) {
      const full = this.#byKey.size >= this.settings.seriesMax;
      if (full) key = keyOf(overflow);
      series = this.#byKey.get(key);
      if (series === undefined) {
        series = new Series(
          full ? overflow : { ...attributes },
          this.kind === 'histogram' ? this.settings.boundaries.length + 1 : 0,
        );
        this.#byKey.set(key, series);
      }
    }
    this.#byObject.set(attributes, series);
    return series;
  }

  #bucketOf(value: number): number {
    const { boundaries } = this.settings;
    let index = 0;
    while (index < boundaries.length && value > (boundaries[index] ?? Infinity)) index++;
    return index;
  }
}

function keyOf(attributes: Attributes): string {
  return Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${String(attributes[name])}`)
    .join('\u0000');
}
