import { mapped, type ReportLine, type Translation } from './dialect.ts';
import { numberAt, objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';
import { cloudRunVocabulary } from './cloud-run-vocabulary.ts';
import { knativeVocabulary } from './service-report.ts';
import { reportKeys } from './vocabulary.ts';

/** A Cloud Run job: known and described, run only when asked to. */
export function cloudRunJob(document: JsonObject): Translation {
  const execution = objectAt(document, 'spec', 'template', 'spec');
  const task = objectAt(execution, 'template', 'spec');
  const tasks = numberAt(execution, 'taskCount') ?? 1;
  const report: ReportLine[] = [];
  const note = (path: string, value: unknown, message: string): void => {
    if (value !== undefined) report.push(mapped(path, message, String(value)));
  };
  const base = 'spec.template.spec';
  note(
    `${base}.taskCount`,
    valueAt(execution, 'taskCount'),
    `tasks with CLOUD_RUN_TASK_INDEX 0..${tasks - 1} and CLOUD_RUN_TASK_COUNT ${tasks}`,
  );
  note(`${base}.parallelism`, valueAt(execution, 'parallelism'), 'most tasks at once');
  note(`${base}.template.spec.maxRetries`, valueAt(task, 'maxRetries'), 'retries per task');
  note(`${base}.template.spec.timeoutSeconds`, valueAt(task, 'timeoutSeconds'), 'time limit of an attempt, seconds');
  const known = [cloudRunVocabulary, knativeVocabulary];
  const template = objectAt(document, 'spec', 'template');
  return {
    verdict: 'translate',
    objects: [],
    report: [
      ...report,
      ...reportKeys(known, 'labels', objectAt(document, 'metadata', 'labels')),
      ...reportKeys(known, 'annotations', objectAt(document, 'metadata', 'annotations')),
      ...reportKeys(known, 'templateAnnotations', objectAt(template, 'metadata', 'annotations')),
    ],
    effective: {
      kind: 'job',
      name: textAt(document, 'metadata', 'name'),
      tasks,
      parallelism: numberAt(execution, 'parallelism') ?? tasks,
      maxRetries: numberAt(task, 'maxRetries') ?? 3,
      taskTimeoutSeconds: numberAt(task, 'timeoutSeconds') ?? 600,
      startsOn: 'explicit run, never on apply',
    },
  };
}
