/** Attributes of one measurement. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface InstrumentOptions {
  readonly description?: string;
  /** UCUM unit: `s`, `By`, `{request}`. */
  readonly unit?: string;
  /** Histogram bounds in the unit; default: upstream's latency bounds. */
  readonly boundaries?: readonly number[];
}

export interface Counter {
  add(value: number, attributes?: Attributes): void;
}
export interface Gauge {
  record(value: number, attributes?: Attributes): void;
}
export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

/** Where measurements go, shaped like OpenTelemetry's meter so that its adapter is a pass-through. */
export interface Meter {
  counter(name: string, options?: InstrumentOptions): Counter;
  upDownCounter(name: string, options?: InstrumentOptions): Counter;
  gauge(name: string, options?: InstrumentOptions): Gauge;
  histogram(name: string, options?: InstrumentOptions): Histogram;
}

/** Bounds of upstream's latency histograms, seconds. Source: knative/pkg observability. */
export const latencyBoundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Bounds of upstream's histograms of sizes, bytes: the OpenTelemetry SDK's own. */
export const sizeBoundsBytes = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000] as const;

const ignore = { add: (): void => undefined, record: (): void => undefined };

/** Drops every measurement: the default wherever a `meter` option is left out. */
export const noopMeter: Meter = {
  counter: () => ignore,
  upDownCounter: () => ignore,
  gauge: () => ignore,
  histogram: () => ignore,
};
