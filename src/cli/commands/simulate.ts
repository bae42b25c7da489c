import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Policy } from '../../autoscaler/policy.ts';
import { kpa } from '../../autoscaler/policies/kpa-options.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { Comparison } from '../../simulator/comparison.ts';
import { sweep } from '../../simulator/edges/sweep.ts';
import {
  cheapest,
  describeParameters,
  meets,
  type Objective,
  type ParameterGrid,
  type SweepResult,
} from '../../simulator/grid.ts';
import type { Load } from '../../simulator/load.ts';
import type { SimulationOptions } from '../../simulator/options.ts';
import { loadSyntax, parseLoad } from '../../simulator/parse-load.ts';
import { summaryTexts } from '../../simulator/report/report-data.ts';
import { simulate as runSimulation, type SimulationRun } from '../../simulator/simulation-run.ts';
import { loadFromText } from '../../simulator/traffic.ts';
import { durationMs } from '../../duration.ts';
import type { Command, CommandContext } from '../command.ts';
import { alignedTable } from '../table.ts';

export const command: Command = {
  name: 'simulate',
  summary: 'Try an autoscaling policy on a load, in virtual time',
  usage: 'simulate (--load LOAD | --trace FILE) [options]',
  help: `Runs requests, instances and the autoscaler in virtual time: hours take moments. One seed gives one run.

Load:
  --load LOAD               generated requests, see below
  --trace FILE              recorded traffic: CSV (time,requests_per_second), JSON pairs, or the answer to a Prometheus range query
  --duration TIME           how long; default: as long as the trace, 10m for generated loads
  --service-time TIME       of each request, default 100ms; exp:100ms for exponential, lognormal:100ms,400ms by median and p95
  --cold-start TIME         from wish to ready, default 2s; the same forms

Scaling:
  --policy FILE             a module that exports a policy (as policy or default); default: the KPA
  --annotation NAME=VALUE   autoscaling annotation of the revision, may be repeated: target=10, max-scale=5, metric=rps …
  --container-concurrency N requests at a time per instance, default 0 (no limit)
  --parallelism N           requests that an instance works on at full speed; default: no limit
  --seed N                  default 1

Questions:
  --compare FILE|SETTINGS   another policy file, or KPA annotations such as target=10,window=30s, on the same requests; may be repeated
  --sweep NAME=A,B,C        every value of a parameter (target, window, containerConcurrency, min-scale …), on all cores; may be repeated
  --objective p95=300ms     with --sweep: the cheapest setting that keeps it
  --explain TIME            why it scaled as it did at 12m, at 12:03 (UTC), or at an ISO time; may be repeated

Output:
  --report FILE             .html (interactive), .svg, .csv or .json; may be repeated
  --json                    one JSON object instead of tables
  -h, --help                this text

${loadSyntax}

Exit code: 0, or 1 when something is wrong or --objective is kept by no setting.

Examples:
  knative-embed simulate --load poisson:step:500/s@30s --service-time 200ms --annotation target=10 --report run.html
  knative-embed simulate --trace tuesday.json --compare target=50 --compare ./my-policy.ts --report tuesday.html
  knative-embed simulate --load days:5/s-200/s --duration 24h --sweep target=5,10,20 --sweep window=30s,60s --objective p95=300ms`,
  options: {
    load: { type: 'string' },
    trace: { type: 'string' },
    duration: { type: 'string' },
    'service-time': { type: 'string' },
    'cold-start': { type: 'string' },
    policy: { type: 'string' },
    annotation: { type: 'string', multiple: true },
    'container-concurrency': { type: 'string' },
    parallelism: { type: 'string' },
    seed: { type: 'string' },
    compare: { type: 'string', multiple: true },
    sweep: { type: 'string', multiple: true },
    objective: { type: 'string' },
    explain: { type: 'string', multiple: true },
    report: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  run: simulateCommand,
};

async function simulateCommand(context: CommandContext): Promise<number> {
  const { options, positionals, printError } = context;
  if (positionals.length > 0 || (options['load'] === undefined) === (options['trace'] === undefined)) {
    printError(`usage: knative-embed ${command.usage}`);
    return 2;
  }
  const base = await baseOptions(context);
  return listOf(context, 'sweep').length > 0 ? sweepAndPrint(context, base) : runAndPrint(context, base);
}

async function runAndPrint(context: CommandContext, base: SimulationOptions): Promise<number> {
  const { options, print, printError, isTty } = context;
  const candidates = [base, ...(await Promise.all(listOf(context, 'compare').map((text) => candidate(text, base))))];
  const runs = candidates.map((candidateOptions) => {
    const name = candidateOptions.name ?? 'KPA';
    const onProgress = (share: number): void => printError(`${name}: ${Math.round(share * 100)} %`);
    return runSimulation({
      ...candidateOptions,
      name,
      ...(isTty && isLong(candidateOptions) ? { onProgress: everyTenth(onProgress) } : {}),
    });
  });
  for (const path of listOf(context, 'report')) await new Comparison(runs).writeReport(path);
  if (options['json'] === true) print(JSON.stringify(runs.map((run) => jsonOf(run, listOf(context, 'explain')))));
  else describeRuns(runs, context);
  return 0;
}

function describeRuns(runs: readonly SimulationRun[], context: CommandContext): void {
  const { print } = context;
  for (const [name, value] of Object.entries(runs[0]?.scenario ?? {})) print(`${name}: ${value}`);
  print('');
  const texts = runs.map((run) => new Map(summaryTexts(run)));
  const rows = [...(texts[0]?.keys() ?? [])].map((name) => [name, ...texts.map((text) => text.get(name) ?? '')]);
  for (const line of alignedTable([['', ...runs.map(({ name }) => name)], ...rows])) print(line);
  for (const run of runs) for (const { sentence } of run.oscillations) print(`\nwarning, ${run.name}: ${sentence}`);
  for (const time of listOf(context, 'explain')) {
    for (const run of runs) print(`\n${time}, ${run.name}: ${run.explain(time).sentence}`);
  }
  const reports = listOf(context, 'report');
  if (reports.length > 0) print(`\nwritten: ${reports.join(', ')}`);
}

function jsonOf(run: SimulationRun, times: readonly string[]): object {
  const { name, seed, scenario, summary, oscillations } = run;
  return { name, seed, scenario, summary, oscillations, explanations: times.map((time) => ({ time, ...run.explain(time) })) };
}

async function sweepAndPrint(context: CommandContext, base: SimulationOptions): Promise<number> {
  const { options, print, printError, isTty, signal } = context;
  if (options['policy'] !== undefined) {
    throw new KnativeError('CLI_OPTION', '--sweep changes the settings of the KPA, so it does not go with --policy', {
      hint: "a module of one's own can be swept with sweep() of knative-embed/simulator",
    });
  }
  const grid = Object.fromEntries(listOf(context, 'sweep').map(gridEntry));
  const objective = objectiveOf(options['objective']);
  const results = await sweep({
    base,
    parameters: grid,
    signal,
    ...(isTty ? { onResult: (result, done, all) => printError(`${done}/${all} ${describeParameters(result.parameters)}`) } : {}),
  });
  const best = objective === undefined ? undefined : cheapest(results, objective);
  if (options['json'] === true) print(JSON.stringify({ results, ...(best === undefined ? {} : { cheapest: best.parameters }) }));
  else describeSweep(results, grid, objective, print);
  if (objective === undefined || options['json'] === true) return objective !== undefined && best === undefined ? 1 : 0;
  print(
    best === undefined ? '\nno setting keeps the objective' : `\ncheapest that keeps it: ${describeParameters(best.parameters)}`,
  );
  return best === undefined ? 1 : 0;
}

function describeSweep(
  results: readonly SweepResult[],
  grid: ParameterGrid,
  objective: Objective | undefined,
  print: (line: string) => void,
): void {
  const names = Object.keys(grid);
  const head = [
    ...names,
    'p50',
    'p95',
    'p99',
    'cold starts',
    'lost',
    'instance-hours',
    'most ready',
    'swings',
    ...(objective === undefined ? [] : ['kept']),
  ];
  const rows = results.map(({ parameters, summary, oscillations }) => [
    ...names.map((name) => String(parameters[name])),
    ...[summary.latency.p50Ms, summary.latency.p95Ms, summary.latency.p99Ms].map((ms) => `${Number(ms.toPrecision(3))} ms`),
    String(summary.coldStarts),
    String(summary.rejected + summary.timedOut + summary.failed),
    (summary.instanceSeconds / 3_600).toFixed(2),
    String(summary.maxReadyInstances),
    oscillations.length === 0 ? '' : 'yes',
    ...(objective === undefined ? [] : [meets(objective, summary) ? 'yes' : 'no']),
  ]);
  for (const line of alignedTable([head, ...rows])) print(line);
}

async function baseOptions(context: CommandContext): Promise<SimulationOptions> {
  const { options } = context;
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
  const load = await loadOf(context);
  const duration = text('duration') ?? (text('trace') === undefined ? '10m' : undefined);
  const policyFile = text('policy');
  const serviceTime = text('service-time');
  const coldStart = text('cold-start');
  return {
    name: policyFile ?? 'KPA',
    load,
    annotations: annotationsOf(listOf(context, 'annotation')),
    containerConcurrency: numberOf(text('container-concurrency') ?? '0', '--container-concurrency'),
    seed: numberOf(text('seed') ?? '1', '--seed'),
    ...(duration === undefined ? {} : { duration }),
    ...(serviceTime === undefined ? {} : { serviceTime: await distributionOf(serviceTime) }),
    ...(coldStart === undefined ? {} : { coldStart: await distributionOf(coldStart) }),
    ...(text('parallelism') === undefined ? {} : { parallelism: numberOf(text('parallelism') ?? '', '--parallelism') }),
    ...(policyFile === undefined ? {} : { policy: await policyFrom(policyFile) }),
  };
}

async function loadOf({ options }: CommandContext): Promise<Load> {
  const { load, trace } = options;
  if (typeof load === 'string') return parseLoad(load);
  const file = String(trace);
  try {
    return loadFromText(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (KnativeError.is(error)) throw error;
    throw new KnativeError('CLI_FILE', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function distributionOf(text: string): Promise<SimulationOptions['serviceTime'] & {}> {
  const { distribution } = await import('../../simulator/distribution.ts');
  if (text.startsWith('exp:')) return distribution.exponential(text.slice('exp:'.length));
  if (!text.startsWith('lognormal:')) return text;
  const [median = '', p95 = ''] = text.slice('lognormal:'.length).split(',');
  return distribution.logNormal({ median, p95 });
}

/** A policy file, or settings of the KPA as annotations. */
async function candidate(text: string, base: SimulationOptions): Promise<SimulationOptions> {
  if (text.includes('='))
    return { ...base, name: text, policy: kpa(), annotations: { ...base.annotations, ...annotationsOf(text.split(',')) } };
  return { ...base, name: text, policy: await policyFrom(text) };
}

async function policyFrom(file: string): Promise<Policy> {
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    throw new KnativeError('CLI_POLICY', `${file} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  const exported = typeof loaded === 'object' && loaded !== null ? loaded : {};
  const policy: unknown = Reflect.get(exported, 'policy') ?? Reflect.get(exported, 'default');
  if (isPolicy(policy)) return policy;
  throw new KnativeError('CLI_POLICY', `${file} exports no policy`, {
    hint: 'export const policy = … with name, metrics, initial and decide; docs/autoscaler.md shows one',
  });
}

function isPolicy(value: unknown): value is Policy {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['metrics', 'initial', 'decide'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}

function annotationsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => splitPair(pair, '--annotation')));
}

function gridEntry(pair: string): [string, readonly (number | string)[]] {
  const [name, values] = splitPair(pair, '--sweep');
  return [name, values.split(',').map((value) => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value))];
}

function splitPair(pair: string, option: string): [string, string] {
  const at = pair.indexOf('=');
  if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  throw new KnativeError('CLI_OPTION', `${option} needs NAME=VALUE, got ${JSON.stringify(pair)}`);
}

function objectiveOf(text: unknown): Objective | undefined {
  if (typeof text !== 'string') return undefined;
  const match = /^p(50|90|95|99|999)=(.+)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new KnativeError('CLI_OPTION', `--objective needs the form p95=300ms, got ${JSON.stringify(text)}`);
  }
  return { share: Number(`0.${match[1]}`), latencyMs: durationMs(match[2], '--objective') };
}

function numberOf(text: string, option: string): number {
  const number = Number(text);
  if (text !== '' && Number.isFinite(number)) return number;
  throw new KnativeError('CLI_OPTION', `${option} needs a number, got ${JSON.stringify(text)}`);
}

function listOf({ options }: CommandContext, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

const isLong = ({ duration }: SimulationOptions): boolean =>
  duration === undefined || durationMs(duration, '--duration') >= 3_600_000;

function everyTenth(tell: (share: number) => void): (share: number) => void {
  let last = 0;
  return (share) => {
    if (share - last < 0.1) return;
    last = share;
    tell(share);
  };
}
