import type { Policy } from '../autoscaler/policy.ts';
import { simulate, type SimulationRun } from './simulation-run.ts';
import type { SimulationOptions } from './options.ts';
import type { Summary } from './summary.ts';

/** Several runs on the same requests. */
export class Comparison {
  readonly runs: readonly SimulationRun[];

  constructor(runs: readonly SimulationRun[]) {
    this.runs = runs;
  }

  /** One row per run: what matters when choosing. */
  table(): readonly ComparisonRow[] {
    return this.runs.map(({ name, summary }) => comparisonRow(name, summary));
  }

  /** The report with the runs side by side. */
  async toHtml(): Promise<string> {
    const { makeReport } = await import('./report/html.ts');
    return makeReport(this.runs);
  }

  async toSvg(): Promise<string> {
    const { makeSvg } = await import('./report/svg.ts');
    return makeSvg(this.runs);
  }

  /** As `SimulationRun.writeReport`, for all runs in one file; `.csv` has one block of rows per run, named in the first column. */
  async writeReport(path: string): Promise<void> {
    const { writeReportFile } = await import('./edges/report-file.ts');
    await writeReportFile(path, this.runs);
  }
}

export interface ComparisonRow {
  readonly name: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly coldStarts: number;
  /** Rejected, timed out and failed. */
  readonly lost: number;
  readonly meanInstances: number;
  readonly maxReadyInstances: number;
  readonly instanceSeconds: number;
  readonly cost: number;
}

export function comparisonRow(name: string, summary: Summary): ComparisonRow {
  return {
    name,
    p50Ms: summary.latency.p50Ms,
    p95Ms: summary.latency.p95Ms,
    p99Ms: summary.latency.p99Ms,
    coldStarts: summary.coldStarts,
    lost: summary.rejected + summary.timedOut + summary.failed,
    meanInstances: summary.meanInstances,
    maxReadyInstances: summary.maxReadyInstances,
    instanceSeconds: summary.instanceSeconds,
    cost: summary.cost,
  };
}

/**
 * The same load against several policies: each meets the same requests at the same times with the same service times, so that what
 * differs is the policy's doing. A value may also be options that replace those of `base`.
 */
export function compare(
  base: Omit<SimulationOptions, 'policy' | 'name'>,
  candidates: Readonly<Record<string, Policy | Partial<SimulationOptions>>>,
): Comparison {
  return new Comparison(
    Object.entries(candidates).map(([name, candidate]) =>
      simulate('decide' in candidate ? { ...base, policy: candidate, name } : { ...base, ...candidate, name }),
    ),
  );
}
