import { seriesColumns } from '../series.ts';
import type { SimulationRun } from '../simulation-run.ts';
import { duration, fixed, grouped, percent } from '../words.ts';

/** What the page gets: one object per run. */
export interface ReportRun {
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly scenario: Readonly<Record<string, string>>;
  readonly summary: readonly (readonly [string, string])[];
  readonly findings: readonly string[];
  /** Columns of the time series by name. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  /** Seconds from the start, mode, reasons; in order. */
  readonly decisions: readonly (readonly [number, string, string])[];
}

/** Seven digits are more than a plot shows; what is not a number is a gap. */
const compact = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(7)) : null);

export function reportRun(run: SimulationRun): ReportRun {
  const columns = seriesColumns.map((name) => [name, Array.from(run.series.values(name), compact)] as const);
  return {
    name: run.name,
    startMs: run.startMs,
    durationMs: run.durationMs,
    scenario: run.scenario,
    summary: summaryTexts(run),
    findings: run.oscillations.map(({ sentence }) => sentence),
    series: Object.fromEntries(columns),
    decisions: shownDecisions(run),
  };
}

/** The decisions that changed something, and the last one before each row of the time series. */
function shownDecisions(run: SimulationRun): readonly (readonly [number, string, string])[] {
  const shown: (readonly [number, string, string])[] = [];
  const times = run.series.values('atMs');
  let row = 0;
  run.decisions.forEach((decision, index) => {
    const { atMs, explanation, desired, replicas, panic, valid } = decision;
    if (explanation === undefined) return;
    const before = run.decisions[index - 1];
    const changed =
      before?.desired !== desired || before.replicas !== replicas || before.panic !== panic || before.valid !== valid;
    const next = run.decisions[index + 1]?.atMs ?? Infinity;
    while ((times[row] ?? Infinity) < atMs) row++;
    const isLastBeforeRow = (times[row] ?? Infinity) < next;
    if (changed || isLastBeforeRow) shown.push([compact(atMs / 1_000) ?? 0, explanation.mode, explanation.sentence]);
  });
  return shown;
}

/** Numbers of a run as texts, in the order in which they are read. */
export function summaryTexts({ summary, durationMs }: SimulationRun): readonly (readonly [string, string])[] {
  const { latency } = summary;
  const lost = summary.rejected + summary.timedOut + summary.failed;
  return [
    ['requests', grouped(summary.requests)],
    ['p50', duration(latency.p50Ms)],
    ['p95', duration(latency.p95Ms)],
    ['p99', duration(latency.p99Ms)],
    ['max', duration(latency.maxMs)],
    ['waited', percent(summary.waitProbability)],
    ['cold starts', `${grouped(summary.coldStarts)} (${percent(summary.coldStartProbability)})`],
    ['lost', grouped(lost)],
    ['mean instances', fixed(summary.meanInstances)],
    ['busy / idle', `${fixed(summary.meanBusyInstances)} / ${fixed(summary.meanIdleInstances)}`],
    ['most ready', grouped(summary.maxReadyInstances)],
    ['instance life', summary.meanInstanceLifeMs === 0 ? '–' : duration(summary.meanInstanceLifeMs)],
    ['instance-hours', fixed(summary.instanceSeconds / 3_600)],
    ['in panic', percent((summary.panicSeconds * 1_000) / durationMs)],
    ...(summary.cost === 0 ? [] : [['cost', fixed(summary.cost)] as const]),
  ];
}
