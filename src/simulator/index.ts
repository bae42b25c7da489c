export { Comparison, compare, type ComparisonRow } from './comparison.ts';
export type { LoggedDecision } from './decision-log.ts';
export { describeLoad } from './describe-load.ts';
export { describeDistribution, distribution, type Distribution, type DistributionInput } from './distribution.ts';
export { sweep, type SweepOptions } from './edges/sweep.ts';
export {
  applyParameters,
  cheapest,
  combinations,
  describeParameters,
  meets,
  type Objective,
  type ParameterGrid,
  type Parameters,
  type SweepResult,
} from './grid.ts';
export { load, type Load } from './load.ts';
export type { FailureOptions, Prices, SimulationOptions, SlowStartOptions } from './options.ts';
export { findOscillations, type Oscillation } from './oscillation.ts';
export type { RunTime } from './run-time.ts';
export { scenarios, type Scenario } from './scenarios.ts';
export { Series, seriesColumns, type SeriesColumn, type SeriesRow } from './series.ts';
export { simulate, SimulationRun } from './simulation-run.ts';
export type { LatencySummary, Summary } from './summary.ts';
export { loadFromCsv, loadFromJson, loadFromPrometheus, loadFromText, type PrometheusOptions } from './traffic.ts';
