/** How long to wait after a request before an instance is wanted again, and until when. Both count from the last request. */
export interface IdleForecast {
  readonly warmFromMs: number;
  readonly warmUntilMs: number;
  readonly basis: 'histogram' | 'time-series' | 'standard';
}

export interface IdleHistogramOptions {
  readonly binMs: number;
  readonly bins: number;
  readonly headPercentile: number;
  readonly tailPercentile: number;
  /** Share by which the window is widened on both ends. */
  readonly margin: number;
  /** A histogram whose counts vary less than this (coefficient of variation) says nothing. */
  readonly variationMin: number;
  /** Share of idle times beyond the range from which on the histogram is not used. */
  readonly outOfRangeShareMax: number;
  /** Idle times to have seen before anything is forecast from them. */
  readonly samplesMin: number;
}

/** Idle times kept for the time-series forecast. */
const seriesLength = 32;
/** Widening of the time-series forecast, as in the paper. */
const seriesMargin = 0.15;

/**
 * Distribution of the times between the end of one burst of requests and the start of the next (Shahrad et al., "Serverless in the
 * Wild", 2020): a histogram of bounded range, and a short series for functions that are called more rarely than its range. The
 * paper's ARIMA is an AR(1) fitted by least squares here.
 */
export class IdleHistogram {
  readonly #options: IdleHistogramOptions;
  readonly #counts: Float64Array;
  readonly #series = new Float64Array(seriesLength);
  #total = 0;
  #outOfRange = 0;
  #inRange = 0;
  #squares = 0;

  constructor(options: IdleHistogramOptions) {
    this.#options = options;
    this.#counts = new Float64Array(options.bins);
  }

  /** Idle times seen. */
  get total(): number {
    return this.#total;
  }

  add(idleMs: number): void {
    this.#series[this.#total % seriesLength] = idleMs;
    this.#total++;
    const bin = Math.floor(idleMs / this.#options.binMs);
    if (bin >= this.#options.bins) {
      this.#outOfRange++;
      return;
    }
    const before = this.#counts[bin] ?? 0;
    this.#counts[bin] = before + 1;
    this.#inRange++;
    this.#squares += 2 * before + 1;
  }

  forecast(): IdleForecast {
    const { samplesMin, outOfRangeShareMax, variationMin } = this.#options;
    if (this.#total < samplesMin) return this.#standard();
    if (this.#outOfRange / this.#total > outOfRangeShareMax) return this.#bySeries();
    return this.#variation() < variationMin ? this.#standard() : this.#byHistogram();
  }

  // Coefficient of variation of the counts: high when idle times gather in few bins.
  #variation(): number {
    const { bins } = this.#options;
    const mean = this.#inRange / bins;
    if (mean === 0) return 0;
    return Math.sqrt(Math.max(0, this.#squares / bins - mean * mean)) / mean;
  }

  #byHistogram(): IdleForecast {
    const { binMs, headPercentile, tailPercentile, margin } = this.#options;
    const head = this.#binAt(headPercentile) * binMs;
    const tail = (this.#binAt(tailPercentile) + 1) * binMs;
    return { warmFromMs: head * (1 - margin), warmUntilMs: tail * (1 + margin), basis: 'histogram' };
  }

  #binAt(percentile: number): number {
    const wanted = (this.#inRange * percentile) / 100;
    let seen = 0;
    for (let bin = 0; bin < this.#counts.length; bin++) {
      seen += this.#counts[bin] ?? 0;
      if (seen > 0 && seen >= wanted) return bin;
    }
    return this.#counts.length - 1;
  }

  #standard(): IdleForecast {
    const { binMs, bins } = this.#options;
    return { warmFromMs: 0, warmUntilMs: binMs * bins, basis: 'standard' };
  }

  // x(n+1) = mean + phi * (x(n) - mean), over the last idle times in order.
  #bySeries(): IdleForecast {
    const count = Math.min(this.#total, seriesLength);
    const at = (index: number): number => this.#series[(this.#total - count + index) % seriesLength] ?? 0;
    let mean = 0;
    for (let index = 0; index < count; index++) mean += at(index) / count;
    let covariance = 0;
    let variance = 0;
    for (let index = 0; index + 1 < count; index++) {
      covariance += (at(index) - mean) * (at(index + 1) - mean);
      variance += (at(index) - mean) ** 2;
    }
    const phi = variance === 0 ? 0 : Math.max(-1, Math.min(1, covariance / variance));
    const next = Math.max(0, mean + phi * (at(count - 1) - mean));
    return { warmFromMs: next * (1 - seriesMargin), warmUntilMs: next * (1 + seriesMargin), basis: 'time-series' };
  }
}
