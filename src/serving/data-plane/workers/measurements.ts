import type { Attributes, Counter, Gauge, Histogram, InstrumentOptions, Meter } from '../../../telemetry/meter.ts';

type InstrumentType = keyof Meter;

/** What one instrument has measured with one set of attributes, in order; a counter's sum, a gauge's last value. */
export interface Measurement {
  readonly type: InstrumentType;
  readonly name: string;
  readonly options: InstrumentOptions;
  readonly attributes: Attributes;
  readonly values: number[];
}

const noAttributes: Attributes = {};

/** A meter that keeps measurements until they are taken away, for a process whose numbers belong to another one. */
export class MeasurementBuffer implements Meter {
  #taken: Measurement[] = [];
  #instruments: Map<Attributes, Measurement>[] = [];

  counter(name: string, options: InstrumentOptions = {}): Counter {
    return this.#summing('counter', name, options);
  }
  upDownCounter(name: string, options: InstrumentOptions = {}): Counter {
    return this.#summing('upDownCounter', name, options);
  }
  gauge(name: string, options: InstrumentOptions = {}): Gauge {
    const of = this.#instrument('gauge', name, options);
    return { record: (value, attributes = noAttributes) => void (of(attributes).values[0] = value) };
  }
  histogram(name: string, options: InstrumentOptions = {}): Histogram {
    const of = this.#instrument('histogram', name, options);
    return { record: (value, attributes = noAttributes) => void of(attributes).values.push(value) };
  }

  /** Everything since the last call. */
  take(): readonly Measurement[] {
    const taken = this.#taken;
    this.#taken = [];
    for (const byAttributes of this.#instruments) byAttributes.clear();
    return taken;
  }

  #summing(type: InstrumentType, name: string, options: InstrumentOptions): Counter {
    const of = this.#instrument(type, name, options);
    return {
      add(value, attributes = noAttributes) {
        const { values } = of(attributes);
        values[0] = (values[0] ?? 0) + value;
      },
    };
  }

  #instrument(type: InstrumentType, name: string, options: InstrumentOptions): (attributes: Attributes) => Measurement {
    // By identity: the data plane makes each set of attributes once.
    const byAttributes = new Map<Attributes, Measurement>();
    this.#instruments.push(byAttributes);
    return (attributes) => {
      let measurement = byAttributes.get(attributes);
      if (measurement === undefined) {
        measurement = { type, name, options, attributes, values: [] };
        byAttributes.set(attributes, measurement);
        this.#taken.push(measurement);
      }
      return measurement;
    };
  }
}

interface Level {
  readonly record: (total: number) => void;
  readonly bySource: Map<string, number>;
}

/**
 * Several sources that measure as one: what they count is added up in the meter below. Gauges and up-down counters show the sum of
 * what each source says now, and a source that is gone says nothing.
 */
export class MeterSum {
  readonly #meter: Meter;
  readonly #gauges = new Map<string, Level>();
  readonly #levels = new Map<string, Map<string, { readonly counter: Counter; readonly attributes: Attributes; net: number }>>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** The meter of a source in this process. */
  source(source: string): Meter {
    return {
      counter: (name, options) => this.#meter.counter(name, options),
      upDownCounter: (name, options) => this.#meter.upDownCounter(name, options),
      histogram: (name, options) => this.#meter.histogram(name, options),
      gauge: (name, options = {}) => ({
        record: (value, attributes = noAttributes) => this.#gauge(source, name, options, attributes, value),
      }),
    };
  }

  /** Takes over what another process has measured. */
  replay(source: string, measurements: readonly Measurement[]): void {
    for (const { type, name, options, attributes, values } of measurements) {
      const [first = 0] = values;
      if (type === 'gauge') this.#gauge(source, name, options, attributes, first);
      else if (type === 'counter') this.#meter.counter(name, options).add(first, attributes);
      else if (type === 'upDownCounter') this.#level(source, name, options, attributes, first);
      else {
        const histogram = this.#meter.histogram(name, options);
        for (const value of values) histogram.record(value, attributes);
      }
    }
  }

  /** The source is gone. */
  forget(source: string): void {
    for (const gauge of this.#gauges.values()) if (gauge.bySource.delete(source)) show(gauge);
    for (const { counter, attributes, net } of this.#levels.get(source)?.values() ?? []) counter.add(-net, attributes);
    this.#levels.delete(source);
  }

  #gauge(source: string, name: string, options: InstrumentOptions, attributes: Attributes, value: number): void {
    const key = `${name} ${JSON.stringify(attributes)}`;
    let gauge = this.#gauges.get(key);
    if (gauge === undefined) {
      const instrument = this.#meter.gauge(name, options);
      gauge = { record: (total) => instrument.record(total, attributes), bySource: new Map() };
      this.#gauges.set(key, gauge);
    }
    gauge.bySource.set(source, value);
    show(gauge);
  }

  #level(source: string, name: string, options: InstrumentOptions, attributes: Attributes, change: number): void {
    let levels = this.#levels.get(source);
    if (levels === undefined) this.#levels.set(source, (levels = new Map()));
    const key = `${name} ${JSON.stringify(attributes)}`;
    let level = levels.get(key);
    if (level === undefined) {
      level = { counter: this.#meter.upDownCounter(name, options), attributes, net: 0 };
      levels.set(key, level);
    }
    level.net += change;
    level.counter.add(change, attributes);
  }
}

function show({ record, bySource }: Level): void {
  let total = 0;
  for (const value of bySource.values()) total += value;
  record(total);
}
