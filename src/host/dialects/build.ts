import { mapped, unsupported, type Dialect, type ReportLine, type Translation } from './dialect.ts';
import { groupOf, listAt, objectAt, textAt, type JsonObject } from './json-path.ts';

/** The retired Knative Build, and the Tekton runs that carry on from it. */
export const build: Dialect = {
  name: 'build',
  recognizes: (document) => groupOf(document) === 'build.knative.dev' || groupOf(document) === 'tekton.dev',
  translate(document) {
    if (groupOf(document) === 'build.knative.dev') return retiredBuild(document);
    if (groupOf(document) !== 'tekton.dev') return undefined;
    return document['kind'] === 'PipelineRun' || document['kind'] === 'Pipeline'
      ? translatePipeline(document)
      : translateTask(document);
  },
};

function retiredBuild(document: JsonObject): Translation {
  const kind = textAt(document, 'kind') ?? '';
  const hint = 'tekton.dev/v1 TaskRun with the same steps';
  return {
    verdict: 'report',
    objects: [],
    report: [{ ...unsupported('kind', `${kind}: Knative Build was retired in favour of Tekton Pipelines`), suggestion: hint }],
    effective: { hint },
  };
}

function translateTask(document: JsonObject): Translation {
  const isRun = document['kind'] === 'TaskRun';
  const base = isRun ? 'spec.taskSpec' : 'spec';
  const task = isRun ? objectAt(document, 'spec', 'taskSpec') : objectAt(document, 'spec');
  const steps = listAt(task, 'steps');
  const report: ReportLine[] = [];
  if (listAt(document, 'spec', 'params').length > 0) report.push(mapped('spec.params', 'parameter substitution in steps'));
  if (steps.length > 0) report.push(mapped(`${base}.steps`, 'run in order, stop at the first failure'));
  // Said once: it holds for all steps alike.
  const withImage = steps.findIndex((step) => textAt(step, 'image') !== undefined);
  if (withImage >= 0) {
    report.push(unsupported(`${base}.steps[${withImage}].image`, 'steps run as local processes, not in the named image'));
  }
  return {
    verdict: 'translate',
    objects: [],
    report,
    effective: { kind: 'build', steps: steps.map((step, index) => textAt(step, 'name') ?? `unnamed-${index}`) },
  };
}

function translatePipeline(document: JsonObject): Translation {
  const isRun = document['kind'] === 'PipelineRun';
  const base = isRun ? 'spec.pipelineSpec' : 'spec';
  const tasks = listAt(isRun ? objectAt(document, 'spec', 'pipelineSpec') : objectAt(document, 'spec'), 'tasks');
  const report: ReportLine[] = [];
  if (listAt(document, 'spec', 'params').length > 0) report.push(mapped('spec.params', 'parameters of the pipeline'));
  if (tasks.length > 0) report.push(mapped(`${base}.tasks`, 'order by runAfter and by use of results'));
  return { verdict: 'translate', objects: [], report, effective: { kind: 'build', order: orderOf(tasks) } };
}

/** Each task after those that it names or whose results it uses; else as they are written. */
function orderOf(tasks: readonly unknown[]): readonly string[] {
  const names = tasks.map((task) => textAt(task, 'name') ?? '');
  const neededBy = new Map(tasks.map((task, index) => [names[index] ?? '', neededTasks(task)]));
  const order: string[] = [];
  const visiting = new Set<string>();
  const visit = (name: string): void => {
    if (order.includes(name) || visiting.has(name) || !neededBy.has(name)) return;
    visiting.add(name);
    neededBy.get(name)?.forEach(visit);
    order.push(name);
  };
  names.forEach(visit);
  return order;
}

function neededTasks(task: unknown): readonly string[] {
  const named = listAt(task, 'runAfter').filter((name) => typeof name === 'string');
  const used = [...JSON.stringify(task).matchAll(/\$\(tasks\.([^.)]+)\.results/g)].map((match) => match[1] ?? '');
  return [...named, ...used];
}
