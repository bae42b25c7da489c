import type { ReportLine, Translation } from './dialect.ts';
import { environmentOf, reportFields, type FieldMeaning } from './code-engine-fields.ts';
import { numberAt, textAt, type JsonObject } from './json-path.ts';

const means = (message: string): FieldMeaning => ({ level: 'mapped', message });

const meanings: Readonly<Record<string, FieldMeaning>> = {
  image_reference: means('image'),
  image_secret: { level: 'info', message: 'images are not pulled here' },
  run_arguments: means('args'),
  run_commands: means('command'),
  run_as_user: { level: 'info', message: 'tasks run as the user of the host' },
  run_env_variables: means('env'),
  run_mode: means('task: ends; daemon: restarted for ever'),
  run_service_account: { level: 'info', message: 'service accounts are not enforced here' },
  run_volume_mounts: means('volumes and volumeMounts'),
  scale_array_spec: means('one task per index, which it sees as JOB_INDEX'),
  scale_array_size_variable_override: means('JOB_ARRAY_SIZE'),
  scale_cpu_limit: { level: 'info', message: 'not enforced locally' },
  scale_memory_limit: { level: 'info', message: 'not enforced locally' },
  scale_ephemeral_storage_limit: { level: 'info', message: 'not enforced locally' },
  scale_max_execution_time: means('seconds per task'),
  scale_retry_limit: means('retries per task'),
};

const indexesMax = 1_000;

/** A job body: known and described, run only when asked to. A daemon has neither time nor retry limit. */
export function translateJob(document: JsonObject): Translation {
  const isDaemon = textAt(document, 'run_mode') === 'daemon';
  const refused = isDaemon ? ['scale_max_execution_time', 'scale_retry_limit'].filter((field) => field in document) : [];
  const indices = indexesOf(String(document['scale_array_spec'] ?? '0'));
  const report = reportFields(document, meanings).map((line): ReportLine => {
    if (refused.includes(line.path)) return { ...line, level: 'error', message: 'not allowed in daemon mode' };
    if (line.path === 'scale_array_spec' && indices === undefined) {
      return { ...line, level: 'error', message: 'not a list of indexes such as 0-4,9' };
    }
    return line;
  });
  if (report.some(({ level }) => level === 'error')) return { verdict: 'reject', objects: [], report, effective: null };
  const env = environmentOf(document).env.filter((variable) => 'value' in variable);
  return {
    verdict: 'translate',
    objects: [],
    report,
    effective: {
      kind: 'job',
      name: textAt(document, 'name'),
      mode: isDaemon ? 'daemon' : 'task',
      indices,
      ...(isDaemon
        ? {}
        : {
            maxRetries: numberAt(document, 'scale_retry_limit') ?? 3,
            taskTimeoutSeconds: numberAt(document, 'scale_max_execution_time') ?? 7_200,
          }),
      env: Object.fromEntries(env.map((variable) => [String(variable['name']), variable['value']])),
      startsOn: 'explicit run, never on apply',
    },
  };
}

/** `0-4,9` as indexes. */
function indexesOf(text: string): readonly number[] | undefined {
  const indexes: number[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    if (match?.[1] === undefined) return undefined;
    const from = Number(match[1]);
    const to = match[2] === undefined ? from : Number(match[2]);
    if (to < from || indexes.length + to - from >= indexesMax) return undefined;
    for (let index = from; index <= to; index++) indexes.push(index);
  }
  return [...new Set(indexes)].sort((a, b) => a - b);
}
