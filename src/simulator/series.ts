/** The columns of the time series, one row per sample. Counts and averages are of the row's interval, gauges of its end. */
export const seriesColumns = [
  'atMs',
  'requestsPerSecond',
  'concurrency',
  'waiting',
  'desiredReplicas',
  'replicas',
  'readyReplicas',
  'startingReplicas',
  'drainingReplicas',
  'busyReplicas',
  'panic',
  'stableValue',
  'panicValue',
  'targetValue',
  'latencyP50Ms',
  'latencyP95Ms',
  'latencyP99Ms',
  'rejected',
  'timedOut',
  'failed',
  'coldStarts',
] as const;

export type SeriesColumn = (typeof seriesColumns)[number];

/**
 * One row of the time series. `concurrency`: requests in the system on average, waiting ones included; `waiting`: requests without a
 * place at the end of the row; `desiredReplicas`: the policy's wish (-1 before there is one); `replicas`: after bounds and scale to
 * zero; `startingReplicas`: those without a place on the machine included; `busyReplicas`: those with a request in them, on average;
 * `panic`: 1 in panic mode; `stableValue`, `panicValue`, `targetValue`: what the policy says it saw, NaN when it says nothing.
 * Latencies are those of requests that ended in the row, NaN when none did.
 */
export type SeriesRow = { readonly [column in SeriesColumn]: number };

/** Time series as columns of numbers. */
export class Series {
  readonly columns: { readonly [column in SeriesColumn]: Float64Array };
  length = 0;

  constructor(rowsMax: number) {
    const make = (): Float64Array => new Float64Array(rowsMax);
    this.columns = {
      atMs: make(),
      requestsPerSecond: make(),
      concurrency: make(),
      waiting: make(),
      desiredReplicas: make(),
      replicas: make(),
      readyReplicas: make(),
      startingReplicas: make(),
      drainingReplicas: make(),
      busyReplicas: make(),
      panic: make(),
      stableValue: make(),
      panicValue: make(),
      targetValue: make(),
      latencyP50Ms: make(),
      latencyP95Ms: make(),
      latencyP99Ms: make(),
      rejected: make(),
      timedOut: make(),
      failed: make(),
      coldStarts: make(),
    };
  }

  add(row: SeriesRow): void {
    for (const column of seriesColumns) this.columns[column][this.length] = row[column];
    this.length++;
  }

  row(index: number): SeriesRow {
    const value = (column: SeriesColumn): number => this.columns[column][index] ?? NaN;
    return {
      atMs: value('atMs'),
      requestsPerSecond: value('requestsPerSecond'),
      concurrency: value('concurrency'),
      waiting: value('waiting'),
      desiredReplicas: value('desiredReplicas'),
      replicas: value('replicas'),
      readyReplicas: value('readyReplicas'),
      startingReplicas: value('startingReplicas'),
      drainingReplicas: value('drainingReplicas'),
      busyReplicas: value('busyReplicas'),
      panic: value('panic'),
      stableValue: value('stableValue'),
      panicValue: value('panicValue'),
      targetValue: value('targetValue'),
      latencyP50Ms: value('latencyP50Ms'),
      latencyP95Ms: value('latencyP95Ms'),
      latencyP99Ms: value('latencyP99Ms'),
      rejected: value('rejected'),
      timedOut: value('timedOut'),
      failed: value('failed'),
      coldStarts: value('coldStarts'),
    };
  }

  /** Index of the last row at or before this time, 0 at least. */
  indexAt(atMs: number): number {
    const times = this.columns.atMs;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] ?? Infinity) <= atMs) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** The rows of one column. */
  values(column: SeriesColumn): Float64Array {
    return this.columns[column].subarray(0, this.length);
  }
}
