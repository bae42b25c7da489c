import { KnativeError } from '../errors.ts';
import type { Explanation } from '../autoscaler/policy.ts';
import type { LoggedDecision } from './decision-log.ts';
import { describeDistribution } from './distribution.ts';
import { runEngine } from './engine.ts';
import { describeLoad } from './describe-load.ts';
import { resolveOptions, type Settings, type SimulationOptions } from './options.ts';
import { findOscillations, type Oscillation } from './oscillation.ts';
import { duration } from './words.ts';
import { runTimeMs, type RunTime } from './run-time.ts';
import type { Series, SeriesRow } from './series.ts';
import { summarize, type Summary } from './summary.ts';

/** The result of a simulation. */
export class SimulationRun {
  readonly name: string;
  readonly seed: number;
  readonly durationMs: number;
  /** Wall clock at the start. */
  readonly startMs: number;
  /** What was simulated, in words. */
  readonly scenario: Readonly<Record<string, string>>;
  readonly summary: Summary;
  readonly series: Series;
  /** Every decision of the policy; none with `scalePerRequest`. */
  readonly decisions: readonly LoggedDecision[];
  /** Where replicas swing without a reason in the load. */
  readonly oscillations: readonly Oscillation[];

  constructor(settings: Settings) {
    const result = runEngine(settings);
    this.name = settings.name;
    this.seed = settings.seed;
    this.durationMs = settings.durationMs;
    this.startMs = settings.startMs;
    this.scenario = scenarioOf(settings);
    this.series = result.series;
    this.decisions = result.scaling?.log.entries ?? [];
    this.summary = summarize(settings, result);
    this.oscillations = findOscillations(result.series);
  }

  /** The row of the time series at or before this time. */
  at(time: RunTime): SeriesRow {
    return this.series.row(this.series.indexAt(this.#within(time)));
  }

  /** The last decision at or before this time; throws SIMULATOR_NO_DECISION when there was none yet. */
  decisionAt(time: RunTime): LoggedDecision {
    const atMs = this.#within(time);
    const decision = this.decisions.findLast((candidate) => candidate.atMs <= atMs);
    if (decision !== undefined) return decision;
    throw new KnativeError('SIMULATOR_NO_DECISION', `no decision was made within the first ${atMs} ms`, {
      path: 'time',
      hint: 'the first decision comes two seconds after the start; scalePerRequest makes none',
    });
  }

  /** Why it scaled as it did at this time: the numbers, the mode, and what cut the wish. */
  explain(time: RunTime): Explanation {
    const { explanation, atMs } = this.decisionAt(time);
    if (explanation !== undefined) return explanation;
    const earlier = this.decisions.findLast((decision) => decision.atMs <= atMs && decision.explanation !== undefined);
    if (earlier?.explanation !== undefined) return earlier.explanation;
    throw new KnativeError('SIMULATOR_NO_EXPLANATION', 'this run has kept no reasons', {
      hint: 'leave explanations: false out of its options',
    });
  }

  /** The whole run as data: scenario, summary, findings, rows and decisions. */
  toJSON(): object {
    const { name, seed, durationMs, startMs, scenario, summary, oscillations, decisions, series } = this;
    const columns = Object.fromEntries(Object.entries(series.columns).map(([column]) => [column, columnOf(series, column)]));
    return { formatVersion: 1, name, seed, durationMs, startMs, scenario, summary, oscillations, series: columns, decisions };
  }

  /** The time series as comma-separated text with a head line. */
  toCsv(): string {
    const names = Object.keys(this.series.columns);
    const columns = names.map((name) => columnOf(this.series, name));
    const lines = [names.join(',')];
    for (let row = 0; row < this.series.length; row++) lines.push(columns.map((column) => csvCell(column[row])).join(','));
    return `${lines.join('\n')}\n`;
  }

  /** A picture for a README: load, replicas and latency over time; follows the reader's light or dark theme. */
  async toSvg(): Promise<string> {
    const { makeSvg } = await import('./report/svg.ts');
    return makeSvg([this]);
  }

  /** The interactive report as one HTML text. */
  async toHtml(): Promise<string> {
    const { makeReport } = await import('./report/html.ts');
    return makeReport([this]);
  }

  /** Writes a report; the ending of the name says which: `.html`, `.svg`, `.csv` or `.json`. */
  async writeReport(path: string): Promise<void> {
    const { writeReportFile } = await import('./edges/report-file.ts');
    await writeReportFile(path, [this]);
  }

  #within(time: RunTime): number {
    const atMs = runTimeMs(time, this.startMs);
    if (atMs >= 0 && atMs <= this.durationMs) return atMs;
    throw new KnativeError('SIMULATOR_INVALID_TIME', `${String(time)} is outside of the run`, {
      path: 'time',
      hint: `the run begins at ${new Date(this.startMs).toISOString()} and lasts ${this.durationMs / 1_000} s`,
    });
  }
}

/**
 * Runs a load against a policy, instances and requests included, on a virtual clock: the host's policy, bounds, scale to zero,
 * windows, breaker and instance picking, driven by discrete events. Hours take moments; one seed gives one run. Throws
 * `SIMULATOR_INVALID_OPTION` before anything has run.
 */
export function simulate(options: SimulationOptions): SimulationRun {
  return new SimulationRun(resolveOptions(options));
}

// What there is no value for stays empty.
const csvCell = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '' : String(value));

function columnOf(series: Series, name: string): number[] {
  const column = Object.entries(series.columns).find(([candidate]) => candidate === name)?.[1];
  return column === undefined ? [] : Array.from(column.subarray(0, series.length), (value) => Math.round(value * 1e6) / 1e6);
}

function scenarioOf(settings: Settings): Record<string, string> {
  const annotations = Object.entries(settings.input.annotations ?? {}).map(
    ([name, value]) => `${name.split('/').at(-1) ?? name}=${value}`,
  );
  return {
    load: describeLoad(settings.load),
    'service time': describeDistribution(settings.serviceTime),
    'cold start': describeDistribution(settings.coldStart),
    'container concurrency': settings.containerConcurrency === 0 ? 'unlimited' : String(settings.containerConcurrency),
    ...(settings.parallelism === Infinity ? {} : { parallelism: String(settings.parallelism) }),
    ...(settings.keepAliveMs === undefined ? {} : { 'keep-alive': duration(settings.keepAliveMs) }),
    ...(annotations.length === 0 ? {} : { annotations: annotations.join(', ') }),
    ...(settings.crashEveryMs === Infinity ? {} : { 'instances break': `every ${duration(settings.crashEveryMs)} on average` }),
    ...(settings.startFailure === 0 ? {} : { 'starts fail': `${settings.startFailure * 100} %` }),
    duration: duration(settings.durationMs),
    seed: String(settings.seed),
  };
}
