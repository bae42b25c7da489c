import type { EngineResult } from './engine.ts';
import type { Settings } from './options.ts';

/** Latencies, ms; percentiles are at most 0.4 % off. */
export interface LatencySummary {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** A run in numbers. */
export interface Summary {
  readonly requests: number;
  readonly completed: number;
  /** Turned away because too many were waiting. */
  readonly rejected: number;
  readonly timedOut: number;
  /** Lost with a broken instance. */
  readonly failed: number;
  /** Still under way at the end. */
  readonly unfinished: number;
  /** Found no instance at all; with `scalePerRequest` those that started one. */
  readonly coldStarts: number;
  readonly coldStartProbability: number;
  /** Had to wait for a place. */
  readonly waited: number;
  readonly waitProbability: number;
  /** Over all requests, those that did not wait included. */
  readonly meanWaitMs: number;
  readonly latency: LatencySummary;
  /** Requests in the system on average, waiting ones included. */
  readonly meanConcurrency: number;
  /** Instances with at least one request, without any, and both, on average; those that start or drain count in the total. */
  readonly meanBusyInstances: number;
  readonly meanIdleInstances: number;
  readonly meanInstances: number;
  readonly maxReadyInstances: number;
  /** From the start of the instance until it was gone, of those that ended. */
  readonly meanInstanceLifeMs: number;
  readonly instancesStarted: number;
  /** Seconds of all instances, from the start of each until it was gone. */
  readonly instanceSeconds: number;
  readonly panicSeconds: number;
  /** By `prices`; 0 without. */
  readonly cost: number;
}

export function summarize(settings: Settings, result: EngineResult): Summary {
  const { totals } = result.requests;
  const { latencies, fleet } = result;
  const { durationMs, prices } = settings;
  const share = (count: number): number => (totals.arrived === 0 ? 0 : count / totals.arrived);
  const instanceSeconds = fleet.totals.placedMs / 1_000;
  return {
    requests: totals.arrived,
    completed: totals.completed,
    rejected: totals.rejected,
    timedOut: totals.timedOut,
    failed: totals.failed,
    unfinished: totals.arrived - totals.completed - totals.rejected - totals.timedOut - totals.failed,
    coldStarts: totals.cold,
    coldStartProbability: share(totals.cold),
    waited: totals.waited,
    waitProbability: share(totals.waited),
    meanWaitMs: share(totals.waitedMs),
    latency: {
      meanMs: latencies.meanMs,
      p50Ms: latencies.quantile(0.5),
      p90Ms: latencies.quantile(0.9),
      p95Ms: latencies.quantile(0.95),
      p99Ms: latencies.quantile(0.99),
      p999Ms: latencies.quantile(0.999),
      maxMs: latencies.maxMs,
    },
    meanConcurrency: result.concurrencyMs / durationMs,
    meanBusyInstances: fleet.totals.busyMs / durationMs,
    meanIdleInstances: Math.max(0, fleet.totals.readyMs - fleet.totals.busyMs) / durationMs,
    meanInstances: fleet.totals.placedMs / durationMs,
    maxReadyInstances: fleet.totals.readyMax,
    meanInstanceLifeMs: fleet.totals.ended === 0 ? 0 : fleet.totals.endedLifeMs / fleet.totals.ended,
    instancesStarted: fleet.totals.started,
    instanceSeconds,
    panicSeconds: result.panicMs / 1_000,
    cost: (instanceSeconds / 3_600) * (prices.instanceHour ?? 0) + (totals.arrived / 1e6) * (prices.millionRequests ?? 0),
  };
}
